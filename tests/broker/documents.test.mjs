/** The documents against each other and against the code: topics, schemas, error ids, examples. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { channels, docs, faultOf, schemas } from '../lib/schemas.mjs';

const read = (path) => readFileSync(new URL(`../${path}`, docs), 'utf8');
const protocol = read('docs/protocol.md');
const asyncapi = parse(read('docs/asyncapi.yaml'));

/** Fixed sizes by name, `(64 * 1024)` included. */
const limits = Object.fromEntries([...read('common/limits.h').matchAll(/^#define (\w+) +\(?(\d+)(?: \* (\d+))?\)?$/gm)]
  .map(([, name, size, times]) => [name, Number(size) * Number(times ?? 1)]));

/** The table of common/topics.c: `{address, qos, retained, payloadMax}`. */
const topicsInCode = [...read('common/topics.c').matchAll(/\[TOPIC_(\w+)\] = \{\{([^}]*)\},\s*(\d),\s*(true|false),\s*(\w+)\}/g)]
  .filter(([, kind]) => kind !== 'NONE')
  .map(([, , segments, qos, retained, cap]) => {
    const words = segments.split(',').map((word) => word.trim());
    const named = { ROOM: '{room}', PEER: words[0] === '"devices"' ? '{device}' : '{peer}', FROM: '{from}' };
    return {
      address: `parley/v1/${words.map((word) => named[word] ?? JSON.parse(word)).join('/')}`,
      qos: Number(qos),
      retained: retained === 'true',
      payloadMax: limits[cap],
    };
  });

/** The rows of the Markdown table under the heading `title`, each as its cells. */
function tableUnder(title) {
  const section = protocol.split(/^## /m).find((text) => text.startsWith(`${title}\n`));
  return section.split('\n').filter((line) => line.startsWith('|')).slice(2)
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}

const byAddress = (rows) => [...rows].sort((a, b) => (a.address < b.address ? -1 : 1));
const essence = ({ address, qos, retained, payloadMax }) => ({ address, qos, retained, payloadMax });

describe('the documents', () => {
  test('name the same topics as the code, with the same QoS, retention and size', () => {
    const inProtocol = tableUnder('Topics').map(([topic, , qos, retained, , most]) => ({
      address: `parley/v1/${topic.replaceAll('`', '')}`, qos: Number(qos), retained: retained === 'yes', payloadMax: Number(most),
    }));
    assert.equal(topicsInCode.length, 27);
    assert.deepEqual(byAddress(channels.map(essence)), byAddress(topicsInCode));
    assert.deepEqual(byAddress(inProtocol), byAddress(topicsInCode));
  });

  test('link the schema that the AsyncAPI file names', () => {
    for (const [topic, , , , payload] of tableUnder('Topics')) {
      const channel = channels.find(({ address }) => address === `parley/v1/${topic.replaceAll('`', '')}`);
      const [, schema] = /\(schemas\/([\w-]+)\.json\)/.exec(payload);
      assert.equal(schema, channel.schema, topic);
      assert.ok(schemas[schema], `docs/schemas/${schema}.json`);
    }
  });

  test('describe each channel once: parameters, message, operation', () => {
    for (const [key, channel] of Object.entries(asyncapi.channels)) {
      const wanted = [...channel.address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(Object.keys(channel.parameters ?? {}), wanted, key);
      for (const name of wanted) assert.ok(asyncapi.components.parameters[name]?.description, name);
      assert.deepEqual(Object.keys(channel.messages), [key]);
      const operations = Object.values(asyncapi.operations).filter((operation) => operation.channel.$ref === `#/channels/${key}`);
      assert.equal(operations.length, 1, key);
      assert.deepEqual(operations[0].bindings.mqtt, { qos: channel['x-qos'], retain: channel['x-retained'] }, key);
      const bySomeService = channel['x-from'].some((who) => ['roomd', 'httpd', 'gate'].includes(who));
      assert.equal(operations[0].action, bySomeService ? 'send' : 'receive', key);
    }
  });

  test('list the error ids of the code, with their HTTP status', () => {
    const inCode = [...read('common/status.h').matchAll(/X\(STATUS_\w+, "([a-z-]+)", (\d+),/g)]
      .map(([, id, http]) => [id, Number(http)]).filter(([id]) => id !== 'ok').sort();
    const inProtocol = tableUnder('Error ids').map(([id, http]) => [id.replaceAll('`', ''), Number(http)]).sort();
    assert.deepEqual(inProtocol, inCode);
    for (const [id] of inCode) assert.equal(faultOf('common.json#/$defs/http_error_id', id), null);
    const overMqtt = tableUnder('Error ids').filter(([, , when]) => !when.startsWith('HTTP only')).map(([id]) => id.replaceAll('`', ''));
    assert.deepEqual([...schemas.common.$defs.error_id.enum].sort(), overMqtt.sort());
  });

  test('list the HTTP requests of the OpenAPI file', () => {
    const inProtocol = tableUnder('HTTP').flatMap(([requests]) => [...requests.matchAll(/`(GET|POST) (\S+)`/g)].map(([, method, path]) => `${method} ${path}`));
    const openapi = parse(read('docs/openapi.yaml'));
    const inOpenapi = Object.entries(openapi.paths).flatMap(([path, item]) =>
      ['get', 'post', 'put', 'delete', 'patch'].filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${path}`));
    assert.deepEqual(inOpenapi.filter((request) => inProtocol.includes(request)).sort(), inProtocol.sort());
    // What is besides: the page's own files.
    for (const request of inOpenapi) assert.ok(inProtocol.includes(request) || request.startsWith('GET /'), request);
  });
});

describe('the schemas', () => {
  const named = Object.entries(schemas).filter(([name]) => name !== 'common');

  test('have a title, a description and examples, the shared ones too', () => {
    for (const [name, schema] of [...named, ...Object.entries(schemas.common.$defs)]) {
      assert.ok(schema.title && schema.description && schema.examples?.length > 0, name);
    }
  });

  test('allow their own examples', () => {
    for (const [name, schema] of named) for (const example of schema.examples) assert.equal(faultOf(name, example), null);
    for (const [name, schema] of Object.entries(schemas.common.$defs)) {
      for (const example of schema.examples) assert.equal(faultOf(`common.json#/$defs/${name}`, example), null);
    }
  });

  test('allow unknown fields, and no required one to be missing or of another type', () => {
    for (const [name, schema] of named.filter(([, { type }]) => type === 'object')) {
      const [example] = schema.examples;
      assert.equal(faultOf(name, { ...example, 'from-the-future': [1] }), null, name);
      for (const field of schema.required ?? []) {
        const { [field]: _, ...rest } = example;
        assert.notEqual(faultOf(name, rest), null, `${name} without ${field}`);
        assert.notEqual(faultOf(name, { ...example, [field]: { not: 'this' } }), null, `${name} with an odd ${field}`);
      }
    }
  });

  for (const [who, file, schema] of [['roomd', 'roomd/stats.h', 'roomd-stats'], ['the gate', 'mosquitto/stats.h', 'gate-stats']]) {
    test(`know every counter of ${who}`, () => {
      const [, list] = /define \w+_COUNTERS\(X\)([^#]*?)\n\n/.exec(read(file));
      const counters = [...list.matchAll(/X\((\w+)\)/g)].map(([, name]) => name);
      assert.ok(counters.length > 5);
      assert.deepEqual(counters.filter((name) => !schemas[schema].required.includes(name)), []);
    });
  }

  test('know every outcome of a connect', () => {
    const outcomes = [...read('mosquitto/admission.h').matchAll(/X\(ADMISSION_\w+, "([a-z-]+)"\)/g)].map(([, name]) => name);
    assert.ok(outcomes.length > 5);
    assert.deepEqual(outcomes, schemas['gate-stats'].properties.connects.propertyNames.enum);
  });

  test('are each in use', () => {
    const used = new Set(channels.map(({ schema }) => schema));
    const references = JSON.stringify(schemas) + read('docs/openapi.yaml');
    for (const [name] of named) assert.ok(used.has(name) || references.includes(`${name}.json`), name);
  });
});

describe('the threat table', () => {
  const rows = read('docs/security.md').split('\n').filter((line) => /^\| (?!threat |---)/.test(line)).map((line) => line.split('|').slice(1, -1));

  test('names for each threat a test that there is', () => {
    assert.ok(rows.length > 40);
    for (const [threat, control, tests] of rows) {
      assert.ok(control.trim(), threat);
      const named = [...tests.matchAll(/`(tests\/[^`]+)`((?: "[^"]+")+)/g)];
      assert.equal(named.map(([text]) => text).join('; '), tests.trim(), threat);
      for (const [, file, titles] of named) {
        const source = read(file);
        for (const [, title] of titles.matchAll(/"([^"]+)"/g)) assert.ok(source.includes(title), `${file}: ${title}`);
      }
    }
  });
});
