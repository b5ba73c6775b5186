import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { SafetyExchange, commitmentOf, fingerprintOf, safetyWords } from '../../web/js/safety.js';
import { WORDS } from '../../web/js/words.js';

const A = '0123456789abcdef'.repeat(4);
const B = 'fedcba9876543210'.repeat(4);
/** The words of A with NA and B with NB: they change with the list or the form only, and then the version has to change. */
const VECTOR = ['tray', 'pewter', 'album', 'lever'];
const [NA, NB] = ['a'.repeat(32), 'b'.repeat(32)];
const line = (hex, hash = 'sha-256') => `a=fingerprint:${hash} ${hex.toUpperCase().match(/../g).join(':')}\r\n`;

// ---- the list ----

test('1,024 words that cannot be taken for each other', () => {
  assert.equal(WORDS.length, 1024);
  for (const word of WORDS) assert.match(word, /^[a-z]{3,6}$/);
  assert.equal(new Set(WORDS.map((word) => word.slice(0, 4))).size, 1024, 'the first four letters tell them apart');
  assert.deepEqual([...WORDS].sort(), [...WORDS]);
});

test('no two words sound the same', () => {
  const alike = `air heir ere|aisle isle|ant aunt|ate eight|ball bawl|bare bear|beach beech|bean been|beat beet|bell belle|berry bury|blue blew|board bored|
    boy buoy|brake break|bread bred|bridal bridle|buy by bye|canon cannon|canvas canvass|carat carrot karat|cell sell|cellar seller|cent scent sent|cereal serial|
    chili chilly|choral coral|cord chord|core corps|course coarse|creak creek|crews cruise|currant current|cymbal symbol|dear deer|desert dessert|dew due do|die dye|
    doe dough|dual duel|ewe you yew|eye i|fair fare|fairy ferry|feat feet|find fined|fir fur|flair flare|flea flee|flew flu flue|flour flower|fore four for|foul fowl|
    gait gate|gene jean|gilt guilt|gorilla guerrilla|grate great|groan grown|guest guessed|hail hale|hair hare|hall haul|hangar hanger|hart heart|hay hey|heal heel|
    hear here|herd heard|hoarse horse|hole whole|holy holly|hour our|idle idol|jam jamb|kernel colonel|key quay|knead need|knight night|knot not|lead led|leak leek|
    lessen lesson|loan lone|made maid|mail male|main mane|maize maze|manner manor|mantel mantle|marshal martial|meat meet|medal metal meddle|mews muse|might mite|
    miner minor|mist missed|moose mousse|morning mourning|muscle mussel|mustard mustered|naval navel|none nun|oar ore or|one won|paced paste|pail pale|pain pane|
    pair pear pare|palette pallet|patience patients|pause paws|pea pee|peace piece|peak peek|pearl purl|pedal petal peddle|peer pier|pi pie|plain plane|plum plumb|
    pole poll|pore pour|praise prays|pray prey|prince prints|principal principle|profit prophet|rain reign rein|raise rays|rap wrap|read reed|real reel|right write rite|
    ring wring|road rode rowed|role roll|root route|rose rows|rye wry|sail sale|sauce source|scene seen|sea see|seam seem|sew so sow|shoe shoo|side sighed|sight site|
    slay sleigh|soar sore|sole soul|some sum|son sun|sonny sunny|stair stare|stake steak|stationary stationery|steal steel|storey story|straight strait|suite sweet|
    sunday sundae|tail tale|taught taut|tea tee|team teem|thyme time|tide tied|tire tyre|toad towed|toe tow|told tolled|towel toul|vain vein vane|vale veil|waist waste|
    wait weight|walk wok|war wore|warn worn|way weigh|weak week|wear where|weather whether|wheel weal|whine wine|whirled world|which witch|wood would|yoke yolk`;
  const list = new Set(WORDS);
  for (const group of alike.split('|')) {
    const both = group.trim().split(/\s+/).filter((word) => list.has(word));
    assert.ok(both.length < 2, both.join(' and '));
  }
});

// ---- from a description to a fingerprint ----

test('the one certificate that a description names, or none', () => {
  for (const [sdp, expected] of [
    [`v=0\r\n${line(A)}`, A],
    [`v=0\r\nm=audio\r\n${line(A)}m=video\r\n${line(A)}`, A],
    [`a=fingerprint:SHA-256 ${A.match(/../g).join(':')}\n`, A],
    ['v=0\r\n', null],
    ['', null],
    [line(A) + line(B), null],
    [line(A) + line(A.slice(0, 40), 'sha-1'), null],
    [line(A, 'sha-512'), null],
    [line(A.slice(2)), null],
    [line(`${A}00`), null],
    [line(A) + 'a=fingerprint:sha-256 nonsense\r\n', null],
    [`x${line(A)}`, null],
  ]) assert.equal(fingerprintOf(sdp), expected, JSON.stringify(sdp.slice(0, 40)));
});

// ---- from fingerprints to words ----

test('the words are those of the hash that is written down', async () => {
  const digest = createHash('sha256').update(`parley safety code v1\n${A} ${NA}\n${B} ${NB}\n`).digest();
  const bits = [...digest.subarray(0, 5)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const expected = bits.match(/.{10}/g).map((ten) => WORDS[parseInt(ten, 2)]);
  assert.deepEqual(await safetyWords({ fingerprint: A, nonce: NA }, { fingerprint: B, nonce: NB }), expected);
  assert.deepEqual(expected, VECTOR);
});

test('the same whoever asks; another byte, other words', async () => {
  const [one, other] = [{ fingerprint: A, nonce: NA }, { fingerprint: B, nonce: NB }];
  const words = await safetyWords(one, other);
  assert.deepEqual(await safetyWords(other, one), words);
  assert.equal(words.length, 4);
  const seen = new Set([words.join(' ')]);
  for (let at = 0; at < 64; at++) {
    const fingerprint = A.slice(0, at) + (A[at] === '7' ? '6' : '7') + A.slice(at + 1);
    seen.add((await safetyWords({ fingerprint, nonce: NA }, other)).join(' '));
  }
  seen.add((await safetyWords({ fingerprint: A, nonce: NB }, { fingerprint: B, nonce: NA })).join(' '));
  assert.equal(seen.size, 66);
});

// ---- the agreement ----

/** Two ends, and who carries their messages: `carry` sees each and may change it, or drop it (undefined). */
async function agree({ ada = {}, bob = {}, carry = (message) => message } = {}) {
  const results = {};
  const running = [];
  const ends = {};
  const make = (name, to, local, remote, options) => new SafetyExchange({
    local, remote, done: (safety) => (results[name] = safety),
    send: (message) => {
      const carried = carry(message, name);
      if (carried !== undefined) running.push(ends[to].receive(carried));
    },
    ...options,
  });
  ends.ada = make('ada', 'bob', A, B, ada);
  ends.bob = make('bob', 'ada', B, A, bob);
  await Promise.all([ends.bob.start(), ends.ada.start()]);
  for (let done = 0; done < running.length; done++) await running[done];
  return results;
}

test('both agree on the same four words, new ones each time', async () => {
  const [one, two] = [await agree(), await agree()];
  assert.equal(one.ada.state, 'agreed');
  assert.deepEqual(one.ada, one.bob);
  assert.notDeepEqual(one.ada.words, two.ada.words);
});

test('no words without two different fingerprints', async () => {
  for (const [local, remote] of [[null, B], [A, null], [null, null], [A, A]]) {
    const { ada } = await agree({ ada: { local, remote } });
    assert.deepEqual(ada, { state: 'none', words: [] });
  }
});

test('one in the middle: other words at both ends', async () => {
  // Each end has a connection to M, who passes on whatever is said. Whether M’s certificate is the lower or the higher one, no words are the same.
  for (const M of ['8'.repeat(64), '0'.repeat(64), 'f'.repeat(64)]) {
    const { ada, bob } = await agree({ ada: { remote: M }, bob: { remote: M } });
    assert.ok(!(ada?.state === 'agreed' && bob?.state === 'agreed' && ada.words.join() === bob.words.join()), M);
  }
});

test('who committed to one number cannot show another', async () => {
  const { bob } = await agree({ carry: (message, from) => (from === 'ada' && message.nonce ? { nonce: NA } : message) });
  assert.deepEqual(bob, { state: 'none', words: [] });
});

test('out of turn, twice or malformed: no code, and no second chance', async () => {
  const commit = await commitmentOf({ fingerprint: A, nonce: NA });
  for (const [who, messages] of [
    ['bob', [{ nonce: NA }]], // shown without a commitment
    ['bob', [{ commit }, { commit }]],
    ['bob', [{ commit: 'x' }]],
    ['bob', [null]],
    ['bob', [{ commit }, { nonce: NA.toUpperCase() }]],
    ['ada', [{ commit }]], // not the one who commits
    ['ada', [{}]],
    ['ada', ['nonce']],
  ]) {
    const results = [];
    const [local, remote] = who === 'ada' ? [A, B] : [B, A];
    const end = new SafetyExchange({ local, remote, send() {}, done: (safety) => results.push(safety.state) });
    await end.start();
    for (const message of messages) await end.receive(message);
    await end.receive({ commit });
    await end.receive({ nonce: NA });
    assert.deepEqual(results, ['none'], `${who} ${JSON.stringify(messages)}`);
  }
});

test('a number that comes before one’s own commitment is out is not believed', async () => {
  const results = [];
  const sent = [];
  const end = new SafetyExchange({ local: A, remote: B, send: (message) => sent.push(message), done: (safety) => results.push(safety.state) });
  const started = end.start();
  await end.receive({ nonce: NB });
  await started;
  assert.deepEqual([results, sent], [['none'], []]);
});
