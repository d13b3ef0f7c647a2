// Checks of the modules that need no page. The first argument is their folder; what is wrong is
// written as a list of texts.

import { pathToFileURL } from 'node:url';

const folder = pathToFileURL(`${process.argv[2]}/`);
const load = (name) => import(new URL(name, folder));
const { at, formatted, isRough, position, read } = await load('json.js');
const { address, obstacle } = await load('address.js');
const { Exchanges } = await load('exchange.js');
const { explained } = await load('closing.js');
const { asJson, Log } = await load('log.js');
const { Schema } = await load('schema.js');
const { Traffic } = await load('traffic.js');

const wrong = [];

function same(found, expected, what) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) {
    wrong.push(`${what}: ${a} is not ${b}`);
  }
}

// JSON: every token stays as it was written.
const written = '{"a":12345678901234567890,"b":[1.10,-0,1e400,{"c":"\\u00e9\\n"}],"d":{}}';
same(
  formatted(written),
  '{\n  "a": 12345678901234567890,\n  "b": [1.10, -0, 1e400, {"c": "\\u00e9\\n"}],\n  "d": {}\n}',
  'formatted',
);
const { start, end } = at(read(written), '/b/3/c');
same(written.slice(start, end), '"\\u00e9\\n"', 'the place of a pointer');
same(at(read(written), '/b/9'), undefined, 'a place that there is not');
same(isRough(written, read(written)), true, 'integers beyond 2^53');
same(isRough('[9007199254740991, 1.5]', read('[9007199254740991, 1.5]')), false, 'exact integers');
const faulty = {
  '': [1, 1, 'the text ends too early'],
  '{"a":1\n "b":2}': [2, 2, 'a comma or } is expected after this member'],
  '[1,]': [1, 4, 'there is a comma too many before ]'],
  "{'a':1}": [1, 2, 'the name of a member is expected, in double quotes'],
  '{"a" 1}': [1, 6, 'a colon is expected'],
  '[01]': [1, 3, 'a comma or ] is expected after this element'],
  '1 2': [1, 3, 'nothing may follow the value'],
  '"a\nb"': [1, 1, 'this text does not end, or has a wrong escape'],
  NaN: [1, 1, 'a value is expected'],
};
for (const [text, [line, column, words]] of Object.entries(faulty)) {
  try {
    read(text);
    wrong.push(`${text} is read`);
  } catch (fault) {
    same([position(text, fault.offset), fault.message], [{ line, column }, words], text);
  }
}
try {
  read('['.repeat(100_000));
} catch (fault) {
  same(fault.message, 'it is nested too deeply', 'deep text');
}

// Faults are in words, with the numbers of the schema as they were written.
const schema = new Schema(
  '{"type":"object","required":["a"],"additionalProperties":false,"properties":{"a":{"maximum":'
    + '9223372036854775807},"b":{"oneOf":[{"properties":{"k":{"const":1}},"required":["k"]},'
    + '{"properties":{"k":{"const":2}},"required":["k"]}]},"$ref":{"$ref":"#/definitions/T"},'
    + '"p":{"pattern":"^a\\\\-b$"}},"definitions":{"T":{"type":["string","null"]}}}',
);
same(
  schema.faults({ b: { k: 3 }, c: 1, $ref: 1, p: 'x' }),
  [
    { pointer: '', text: '"a" is missing' },
    { pointer: '/b/k', text: 'has to be 1 or 2' },
    { pointer: '/$ref', text: 'is a number, and has to be text or null' },
    { pointer: '/p', text: 'does not match "^a\\\\-b$"' },
    { pointer: '/c', text: 'is not admitted here' },
  ],
  'faults',
);
same(schema.faults({ a: 1e19 })[0].text, 'is above 9223372036854775807', 'a large bound');
same(schema.isValid({ a: 1, p: 'a-b' }), true, 'an escape that the flag u refuses');

// Addresses.
const server = { url: 'wss://{town}.example/desk/' };
const values = { town: 'north', desk: 'a/b' };
same(
  address(server, { address: '/desks/{desk}' }, values, { l: 'e n', none: '' }),
  'wss://north.example/desk/desks/a%2Fb?l=e%20n',
  'an address',
);
same(address({ url: 'ws://a.example' }, { address: '/' }, {}, {}), 'ws://a.example/', 'a root');
same(address({ url: 'ws://a.example/x' }, { address: '/' }, {}, {}), 'ws://a.example/x', 'a path');
const [plain, secure] = [{ protocol: 'http:' }, { protocol: 'https:' }];
same(obstacle('ws://a.example/', plain), '', 'an address that can be tried');
same(obstacle('ws://localhost:1/', secure), '', 'a local address');
for (const [url, page] of [
  ['a.example', plain], ['http://a.example/', plain], ['ws://a.example/{b}', plain],
  ['ws://a.example/#b', plain], ['ws://a.example/', secure],
]) {
  same(obstacle(url, page).endsWith('.'), true, `the obstacle of ${url}`);
}

// Replies go to the request of their id, else to the oldest that they may answer.
const ask = { name: 'ask', replies: ['told', 'error'], correlation: '/id' };
const told = { name: 'told', correlation: '/id' };
const error = { name: 'error', correlation: null };
const exchanges = new Exchanges();
const send = (record, text) => exchanges.sent(record, ask, text, JSON.parse(text));
const receive = (message, text) => exchanges.received(message, text, JSON.parse(text));
send('one', '{"id": 9007199254740993}');
send('two', '{"id": 9007199254740992}');
send('three', '{}');
same([...exchanges.awaited], ['told', 'error'], 'what is awaited');
same(receive(told, '{"id": 9007199254740992}'), 'two', 'the reply of an id beyond 2^53');
same(receive(told, '{"id": 7}'), 'three', 'the reply of an id that no request has');
same(receive(error, '{}'), 'one', 'a reply without an id');
same(receive(told, '{"id": 9007199254740992}'), 'two', 'a second reply');
same(receive(told, '{}'), null, 'a reply to nothing');
same(receive({ name: 'news' }, '{}'), null, 'an event');

// The log keeps what is newest, within its bounds.
const log = new Log(3, 100);
for (const text of ['a', 'b', 'c', 'd']) {
  log.add({ text });
}
same(log.records.map(({ text }) => text), ['b', 'c', 'd'], 'the newest records');
log.add({ text: 'x'.repeat(99) });
same(log.records.map(({ text }) => text.length), [1, 99], 'the records that fit');
log.add({ text: 'y'.repeat(1000) });
same(log.records.length, 1, 'a record that is too large stays alone');
const saved = asJson([
  { at: 0, direction: 'received', name: 'told', text: ' {"n": 12345678901234567890} ', isJson: true },
  { at: 0, direction: 'note', name: '', text: '{}' },
]);
same(saved.includes('"payload":{"n": 12345678901234567890}}'), true, 'digits that are saved');
same(JSON.parse(saved)[1].text, '{}', 'a note');

// A fast feed is taken in within bounds, and worked off in turns.
const traffic = new Traffic({ receives: [], sends: [] });
for (let number = 0; number < 6000; number += 1) {
  traffic.arrived(`{"n": ${number}}`);
}
same(traffic.dropped, 1000, 'what came faster than it could be read');
const records = [];
while (traffic.hasWork) {
  const made = [...traffic.work(1000, 300)];
  same(made.length <= 300, true, 'the records of a turn');
  records.push(...made);
}
same([records.length, records[0].text], [5000, '{"n": 1000}'], 'what was read');
traffic.arrived('no json');
traffic.arrived(new Uint8Array([1, 255]).buffer);
traffic.arrived('['.repeat(400_000));
same(
  [...traffic.work(1000, 10)].map(({ problem }) => problem),
  ['no JSON', 'a binary frame of 2 bytes: messages are JSON in text frames', 'no JSON'],
  'what is no message',
);

// Ends are explained.
same(explained({ code: 1008, reason: 'slow down' }, true), '1008, the server refuses what was sent: “slow down”', 'a close');
same(explained({ code: 4001, reason: '' }, true), '4001, a code of this server', 'a private code');
same(explained({ code: 1006, reason: '' }, false).startsWith('could not be opened'), true, 'a refusal');

process.stdout.write(JSON.stringify(wrong));
