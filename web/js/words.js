/**
 * The words of safety codes: 1,024 of them, so that each stands for ten bits. A word's place is its number: the list never changes
 * without a new version of the code (safety.js). Lower case ASCII, three to six letters, easy to say; no two begin with the same
 * four letters, and none sounds like another.
 */
const LIST = `
  abbey able accent acid acorn actor adapt adult agent alarm album alive alley almond alter amber ample anchor angle animal ankle
  answer anthem antler anyone apple april apron arch arctic arena arrow artist ash asleep aspen atlas atom august author autumn
  awake axis axle baby bacon badge bagel baker ballad bamboo banana band banjo bank banner barber barley barn basil basket bath
  bazaar beach bean beard beaver behind bench bike bingo birch bird bishop bison black blade blaze blink block bloom blouse blue
  boat bobcat body boil bold bone bonsai bonus boost booth border bottle bounce bowl bowtie box branch bread breeze brick bridge
  bright brisk bronze brook brown brush bubble bucket buddy buffet bugle bulb bundle bunny burger burrow bus bush butter buzz cabin
  cable cactus cage cake calf camel camp canal candle canoe canvas canyon carbon card cargo carpet carrot cart carve castle cat
  cattle cave cedar celery cement center chain chalk champ chant chapel charm cheese cherry chess chick chief chime chirp cider
  cinema circus citrus cliff clock cloth cloud clover clown club coach coal coast cobalt cobra cocoa code coffee coin collar colony
  comb comet comic cone cook copper coral cork corner cosmos cotton couch cougar county cousin cow coyote crab cradle craft crane
  crater crayon crest crown crumb crust cube cuckoo cup daily daisy dampen dance dash dawn dazzle decade deep delta depot desert
  desire desk dial diary dice dimple dinghy dinner direct disco dish ditch diver dock doctor dog doll domain dome domino donkey
  doodle door dot double dove dozen dragon draw dream drift drive drum dryer duck dugout dune dust dynamo eagle early earth easel
  east echo edit egg elbow elk elm ember emblem empire empty encore energy engine event eye fable fabric face factor fairy falcon
  fasten faucet feast fence fennel fern fiber fiddle field fig film finger fire first fish five fix fjord flag flame flask fleece
  flint float flock flood floral flurry flute fly foam focus fog food foot forest fork fossil foster fox foyer frame fridge friend
  frog frolic frost frozen fruit fudge funny fur gadget galaxy gallop game garage garden garlic garnet gate gazebo gear gem gentle
  geyser ghost giant gift ginger give glass glaze glide globe glove glow glue goal goat goblet golf goose gopher gorge grab grain
  grand grape grass gravel green grid grill grin grocer grotto grove grow guide guitar gull gutter gym hamlet hammer hand happy harp
  hat hatch haven hawk hazel hearth hedge helium helmet helper hen herb heron hiccup hidden hike hinge hippo hobby hockey hoist
  holly home honey hood hook hoop horn horse hotel house hover humble hunter husky hut hyena icon idea igloo inch indigo ink input
  invite iris island ivory ivy jacket jade jaguar jam jar jazz jeans jelly jet jewel job jockey jolly joyful judge juggle juice jump
  jungle junior kayak kennel kettle key keypad khaki kindle king kiosk kite kitten kiwi knee knife koala label lace ladder lagoon
  lake lamb lamp land laptop large lark laser latch laugh lava lawn lawyer leader league legend lemon lens lentil lesson letter
  lever light lilac lily limb lime linen lion lip little lizard llama loaf lobby locket lodge loop lotion lotus lounge lucky lumber
  lunar lunch lung lyric magic magnet magpie mallet mammal mango manor map maple marble margin marina market marsh master meadow
  mellow melody memory menu merry mesh meteor metro midday milk mint minute mirror mitten mobile model mohair moment monkey month
  moon mosaic moss motor motto mouse movie mud muffin mule museum music mystic nanny napkin native nature navy neck nectar needle
  neon nephew nest net nibble nickel noble nomad noodle noon normal north note nougat novel nugget number nurse nylon oak oasis oat
  oboe ocean ocelot octave offer oil olive omega omelet onion onyx opal opera orange orbit orchid otter ounce oven owl oxygen oyster
  ozone pack paddle pagoda paint palace palm panda panel pantry papaya paper parrot pasta patch path patio peach peanut pearl pebble
  pecan pen pencil pepper petal pewter phone photo piano pickle picnic pie pig pigeon pillow pilot pine pipe pirate pivot pizza
  planet plate play plaza pledge plenty plug plum pocket poem point polar polish polka pollen pond poplar poppy porch portal possum
  poster potato pouch powder power price prism propel proud puddle puffin puma punch pupil puppy purple puzzle python quail quartz
  quick quiet quilt quiver quiz rabbit radar radio raft rail raisin ramp ranch random ranger raven razor ready recipe record region
  relax repair rhyme rhythm ribbon rice riddle ride ring rinse ripple river robe robin robot rock rodeo rope rotate round rover
  rowing royal rubber ruby rudder rug runway saddle safari saga sailor salad salmon salt salute sample sand satin sauce scarf scenic
  scoop scout screen scroll scuba season seesaw sesame seven shadow shark sheep shelf shield shirt shovel shrimp sierra signal
  silent silk silver singer sister sizzle skate sketch ski sky slate sled sleep smile smooth snack snail snake snow soap soccer
  social sock soda sofa soil solar sonic sonnet soup south space spark sphere spice spider spiral splash sponge spoon spray spring
  spruce square squid stable staff steam stem stitch stone storm stove street stripe studio sturdy subway sugar summer sunny super
  surf survey swan swift swim swing swirl symbol syrup system table tackle tailor talent tango tank tape tassel tavern taxi teach
  teapot temple ten tennis tent thorn thread thumb tiara ticket tidy tiger tile timber tiny toast token tomato tongue tonic tool top
  topaz topic torch toucan towel toy trail travel tray tree trophy trout truck trunk tube tug tulip tundra tunnel turkey turnip
  turtle tutor tuxedo twelve twig twin unique upbeat update uphill upward useful vacuum valley valve van vanish vault velvet victor
  video villa vine violet visit visor vista vivid voice volume voyage wafer waffle wagon wall walnut walrus waltz wander warden warm
  wasp watch water wave wax weasel weave web wheat wheel white wicker wide widget wiggle wild willow wind winner winter wire wisdom
  wise wizard wolf wombat wonder wool world woven wreath yacht yard yarn year yellow yeti yodel yoga yogurt young youth zebra zenith
  zero zest zigzag zinc zipper zodiac zone zoo zoom
`;

/** @type {readonly string[]} */
export const WORDS = Object.freeze(LIST.trim().split(/\s+/));
