/** The project's documents as a judge: is this payload what the documents say it is? */
import { readdirSync, readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export const docs = new URL('../../docs/', import.meta.url);
const ROOT = 'parley/v1/';

/** Every schema by its file name without `.json`. */
export const schemas = Object.fromEntries(readdirSync(new URL('schemas/', docs))
  .filter((file) => file.endsWith('.json'))
  .map((file) => [file.slice(0, -5), JSON.parse(readFileSync(new URL(`schemas/${file}`, docs), 'utf8'))]));

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
addFormats(ajv);
for (const [name, schema] of Object.entries(schemas)) ajv.addSchema(schema, `${name}.json`);

/**
 * @param {string} name a schema's name, or one with a pointer into it (`common.json#/$defs/rev`)
 * @param {unknown} value
 * @returns {string | null} what is wrong
 */
export function faultOf(name, value) {
  const validate = ajv.getSchema(name.includes('.json') ? name : `${name}.json`);
  if (!validate) return `there is no schema called ${name}`;
  return validate(value) ? null : ajv.errorsText(validate.errors, { dataVar: name });
}

/**
 * The channels of docs/asyncapi.yaml.
 *
 * @type {Array<{key: string, address: string, matches: RegExp, schema: string, qos: number, retained: boolean,
 *               payloadMax: number, from: string[], to: string[]}>}
 */
export const channels = (() => {
  const document = parse(readFileSync(new URL('asyncapi.yaml', docs), 'utf8'));
  return Object.entries(document.channels).map(([key, channel]) => ({
    key,
    address: channel.address,
    matches: new RegExp(`^${channel.address.replace(/\{\w+\}/g, '[A-Za-z0-9_-]{1,64}')}$`),
    schema: document.components.messages[key].payload.schema.$ref.replace(/^.*\/(.*)\.json$/, '$1'),
    qos: channel['x-qos'],
    retained: channel['x-retained'],
    payloadMax: channel['x-payload-max'],
    from: channel['x-from'],
    to: channel['x-to'],
  }));
})();

/** @param {string} topic a whole topic name */
export const channelOf = (topic) => channels.find((channel) => channel.matches.test(topic));

/**
 * Judges one message on the wire.
 *
 * @param {string} topic
 * @param {Buffer | string} payload
 * @returns {string | null} what is wrong
 */
export function faultOnWire(topic, payload) {
  const channel = channelOf(topic);
  if (!channel) return `${topic} is no topic of docs/asyncapi.yaml`;
  const text = payload.toString();
  if (text === '' && channel.key === 'roomState') return null; // the room is gone
  if (Buffer.byteLength(payload) > channel.payloadMax) return `${topic}: larger than ${channel.payloadMax} bytes`;
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `${topic}: ${error.message}`;
  }
  const fault = faultOf(channel.schema, value);
  return fault && `${topic} ${text.slice(0, 300)}: ${fault}`;
}

/** @param {string} topic a whole topic name, returned without the root */
export const shortOf = (topic) => (topic.startsWith(ROOT) ? topic.slice(ROOT.length) : topic);

/** @param {string} topic a topic below the root, or a whole one, or one that starts with `$` */
export const wholeOf = (topic) => (topic.startsWith(ROOT) || topic.startsWith('$') ? topic : ROOT + topic);
