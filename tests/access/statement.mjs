/**
 * The access rules a second time, stated independently of common/access.c: there a table of patterns walked level by level, here
 * regular expressions for topics and, for filters, a look at what a filter could match. `cases()` walks operation × topic × role × membership.
 */

const ID = '[A-Za-z0-9_-]{1,64}';
const SIGNAL = '(?:offer|answer|candidate)';
const NOTICE = '(?:joined|full-room|user-arrived|user-away|cut-the-call|error)';
const ROOM_EVENT = '(?:join|cut-the-call|gone)';

/** Every topic of the contract, below parley/v1/; the second column says whether it is retained. */
const TOPICS = [
  [`rooms/${ID}/state`, true],
  [`rooms/${ID}/from/${ID}/${ROOM_EVENT}`, false],
  [`rooms/${ID}/to/${ID}/${NOTICE}`, false],
  [`rooms/${ID}/to/${ID}/${SIGNAL}/${ID}`, false],
  [`lobby/from/${ID}/create-room`, false],
  [`lobby/to/${ID}/(?:room-created|error)`, false],
  [`devices/${ID}/status`, true],
  [`devices/${ID}/(?:ring|ring-answer|call)`, false],
  ['roomd/status', true],
  ['roomd/stats', true],
  [`roomd/rooms/${ID}`, false],
  ['gate/stats', true],
  ['gate/publish', false],
].map(([pattern, retained]) => ({ form: new RegExp(`^${pattern}$`), retained }));

const any = (...patterns) => new RegExp(`^(?:${patterns.join('|')})$`);
const NOTHING = /(?!)/;

/** What a role may hear and say on topics, and the filters it is granted. */
function rightsOf({ role, id, room }) {
  const own = role === 'peer' ? room : ID;
  const caller = {
    hear: any(`rooms/${own}/state`, `rooms/${own}/to/${id}/.+`, 'roomd/status'),
    say: any(`rooms/${own}/from/${id}/${ROOM_EVENT}`, `rooms/${own}/to/(?!${id}/)${ID}/${SIGNAL}/${id}`),
  };
  switch (role) {
    case 'peer':
      return { ...caller, filters: [`rooms/${room}/state`, `rooms/${room}/to/${id}/#`, 'roomd/status'] };
    case 'device':
      return {
        hear: any(caller.hear.source, `devices/${id}/.+`, `lobby/to/${id}/.+`),
        say: any(caller.say.source, `devices/${id}/(?:status|ring-answer|call)`, `lobby/from/${id}/create-room`),
        // Where a peer's filters name its room, a device may name any one room; for its inbox it may leave the room open.
        filters: [`rooms/+/to/${id}/#`, 'roomd/status', `devices/${id}/#`, `lobby/to/${id}/#`],
        oneRoom: new RegExp(`^rooms/${ID}/state$`),
      };
    case 'operator':
      return { hear: /^.*$/, say: any(`devices/${ID}/ring`), filters: ['#'] };
    case 'service':
      if (id.startsWith('s-roomd')) return { hear: /^.*$/, say: /^.*$/, filters: ['#'] };
      if (id.startsWith('s-httpd')) {
        return {
          hear: any(`rooms/${ID}/state`, `devices/${ID}/(?:status|ring-answer)`, 'roomd/.+', 'gate/stats', `lobby/to/${id}/.+`),
          say: any(`lobby/from/${id}/.+`, `devices/${ID}/ring`),
          filters: ['rooms/+/state', 'devices/+/status', 'devices/+/ring-answer', 'roomd/#', 'gate/stats', `lobby/to/${id}/#`],
        };
      }
  }
  return { hear: NOTHING, say: NOTHING, filters: [] };
}

/** MQTT 5.0, 4.7, by turning the filter into a regular expression. */
export function filterMatches(filter, topic) {
  const pattern = filter.split('/').map((level, i, all) => {
    if (level === '#') return i === 0 ? '.*' : null;
    return level === '+' ? '[^/]*' : level.replace(/[^A-Za-z0-9_-]/g, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
  });
  const open = filter.endsWith('/#');
  return new RegExp(`^${pattern.filter((p) => p !== null).join('/')}${open ? '(?:/.*)?' : ''}$`, 'su').test(topic);
}

export const isFilter = (filter) => filter.split('/').every((level, i, all) =>
  level === '+' || (level === '#' && i === all.length - 1) || !/[+#]/.test(level));

/** Topics that `filter` matches, over the words that matter: enough to tell a filter from one that reaches further. */
function* reach(levels, words) {
  if (levels.length === 0) { yield []; return; }
  const [first, ...rest] = levels;
  if (first === '#') {
    yield [];
    for (const a of words) { yield [a]; for (const b of words) yield [a, b]; }
    return;
  }
  for (const head of first === '+' ? words : [first]) for (const tail of reach(rest, words)) yield [head, ...tail];
}

function mayFilter(filter, rights) {
  if (!isFilter(filter)) return false;
  if (rights.oneRoom?.test(filter)) return true;
  return rights.filters.some((granted) => {
    const words = new Set([...filter.split('/'), ...granted.split('/')].filter((word) => word !== '+' && word !== '#'));
    words.add('elsewhere');
    for (const levels of reach(filter.split('/'), words)) if (!filterMatches(granted, levels.join('/'))) return false;
    return true;
  });
}

/**
 * @param {{role: string, id: string, room: string}} who
 * @param {'subscribe' | 'read' | 'write'} op
 * @param {string} name topic or filter
 * @param {boolean} retain
 * @param {Set<string>} members of "room/peer"
 * @returns {'allowed' | 'denied' | 'not-a-member'}
 */
export function expected(who, op, name, retain, members) {
  const root = 'parley/v1/';
  if (!name.startsWith(root)) return 'denied';
  const rest = name.slice(root.length);
  const rights = rightsOf(who);
  if (op === 'subscribe') return mayFilter(rest, rights) ? 'allowed' : 'denied';
  const topic = TOPICS.find(({ form }) => form.test(rest));
  if (!topic || (retain && !topic.retained)) return 'denied';
  if (!(op === 'read' ? rights.hear : rights.say).test(rest)) return 'denied';
  const signal = new RegExp(`^rooms/(${ID})/to/(${ID})/${SIGNAL}/(${ID})$`).exec(rest);
  if (!signal || !['peer', 'device'].includes(who.role)) return 'allowed';
  const [, room, to, from] = signal;
  return members.has(`${room}/${to}`) && members.has(`${room}/${from}`) ? 'allowed' : 'not-a-member';
}

const LONG = 'x'.repeat(64);

/** Who asks: every role, members and strangers, ids that are prefixes of others'. */
export const ASKERS = [
  { role: 'peer', id: 'p-ann', room: 'blue' },
  { role: 'peer', id: 'p-bob', room: 'blue' },
  { role: 'peer', id: 'p-eve', room: 'blue' },
  { role: 'peer', id: 'p-an', room: 'blue' },
  { role: 'peer', id: 'p-ann', room: 'red' },
  { role: 'device', id: 'd-door', room: '' },
  { role: 'device', id: 'd-doo', room: '' },
  { role: 'service', id: 's-roomd', room: '' },
  { role: 'service', id: 's-httpd', room: '' },
  { role: 'service', id: 's-other', room: '' },
  { role: 'operator', id: 'o-op', room: '' },
];

/** Who sits where: nobody, one, two, the device with a peer, and the peer in another room. */
export const SEATINGS = [[], ['blue/p-ann'], ['blue/p-ann', 'blue/p-bob'], ['blue/p-ann', 'blue/d-door', 'red/p-eve', 'red/p-bob']];

const ROOMS = ['blue', 'red', 'blu', '+', '#', '', '$x', `${LONG}y`, 'ä'];
const PEERS = ['p-ann', 'p-bob', 'p-eve', 'd-door', 's-httpd', '+', '#', '', 'p-a+', LONG];
const ENDS = ['join', 'cut-the-call', 'gone', 'joined', 'full-room', 'user-arrived', 'user-away', 'error', 'offer', 'answer', 'candidate', 'offers', '+', '#', ''];

/** Topics and filters, right and wrong. */
export function* names() {
  const root = 'parley/v1/';
  for (const room of ROOMS) {
    for (const end of ['state', '+', '#', 'states', 'state/x', '']) yield `${root}rooms/${room}/${end}`;
    for (const peer of PEERS) {
      for (const way of ['from', 'to', '+']) {
        yield `${root}rooms/${room}/${way}/${peer}`;
        for (const end of ENDS) yield `${root}rooms/${room}/${way}/${peer}/${end}`;
      }
    }
  }
  for (const room of ['blue', 'red', '+']) {
    for (const peer of PEERS) {
      for (const end of ['offer', 'answer', 'candidate', '+']) {
        for (const from of [...PEERS, 'p-ann/x']) yield `${root}rooms/${room}/to/${peer}/${end}/${from}`;
      }
    }
  }
  for (const peer of PEERS) {
    for (const end of ['status', 'ring', 'ring-answer', 'call', '+', '#', 'calls']) yield `${root}devices/${peer}/${end}`;
    for (const way of ['from', 'to']) for (const end of ['create-room', 'room-created', 'error', '+', '#']) yield `${root}lobby/${way}/${peer}/${end}`;
  }
  for (const name of ['roomd/status', 'roomd/stats', 'roomd/#', 'roomd/+', 'roomd/rooms/blue', 'roomd/rooms/+', 'roomd/rooms', 'roomd', 'gate/stats', 'gate/#', 'gate/+', 'gate/none', '#', '+', '+/#', '', 'rooms/#', 'rooms/blue#', 'rooms/#/state', 'rooms']) yield root + name;
  for (const name of ['#', '+/#', '+', '$SYS/#', '$SYS/broker/version', '$CONTROL/dynamic-security/v1', '/', '', '$share/g/parley/v1/#',
    '$share/g/parley/v1/rooms/blue/state', 'parley/v2/rooms/blue/state', 'parley/v1', 'parley/#', 'parley/+/rooms/blue/state', 'Parley/v1/rooms/blue/state',
    '/parley/v1/rooms/blue/state', 'parley//v1/rooms/blue/state', 'parley/v1/rooms/blue/state/', 'parley/v1/rooms/blue\u0001/state', 'parley/v1/rooms/blue/state\n']) yield name;
}

/** Every case: {who, op, name, retain, members}. A topic with a wildcard is a case too: it must be denied. */
export function* cases() {
  for (const seating of SEATINGS) {
    const members = new Set(seating);
    for (const who of ASKERS) {
      for (const name of names()) {
        yield { who, op: 'subscribe', name, retain: false, members };
        yield { who, op: 'read', name, retain: false, members };
        yield { who, op: 'write', name, retain: false, members };
        if (!/[+#]/.test(name)) yield { who, op: 'write', name, retain: true, members };
      }
    }
  }
}
