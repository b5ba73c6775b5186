/** Tokens made in the test itself, for those that the operator's tool rightly refuses to make. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/**
 * @param {string} keysFile the running instance's key file
 * @returns {{kid: string, key: Buffer}} the key that signs
 */
export function readKey(keysFile) {
  const line = readFileSync(keysFile, 'utf8').split('\n').find((text) => text.trim() && !text.startsWith('#'));
  const [kid, secret] = line.trim().split(/\s+/);
  return { kid, key: Buffer.from(secret, 'base64url') };
}

/**
 * Signs any claims, with any header.
 *
 * @param {{kid: string, key: Buffer}} signer
 * @param {object} claims
 * @param {object} [header] fields that replace those of the header
 */
export function forge(signer, claims, header = {}) {
  const head = encode({ alg: 'HS256', typ: 'JWT', kid: signer.kid, ...header });
  const body = encode(claims);
  return `${head}.${body}.${createHmac('sha256', signer.key).update(`${head}.${body}`).digest('base64url')}`;
}

/** @param {string} token @returns {object} its claims, unverified */
export const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());

/** @param {string} prefix @returns {string} a new random id */
export const randomId = (prefix = '') => prefix + randomBytes(12).toString('hex');

/** @returns {number} seconds since 1970 */
export const nowS = () => Math.floor(Date.now() / 1000);
