/** What Node has everywhere, for modules that take it for granted. */
export { Buffer } from 'buffer';
export { process } from './process.js';
