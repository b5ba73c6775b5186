/** What a process listens on, as the kernel says it. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const LISTEN = '0A';

/** An address of /proc/net/tcp or tcp6: hexadecimal, in words of 4 bytes, each in this machine's order. */
function addressOf(hex) {
  const bytes = hex.match(/.{8}/g).flatMap((word) => word.match(/../g).reverse().map((byte) => parseInt(byte, 16)));
  if (bytes.length === 4) return bytes.join('.');
  return bytes.reduce((text, byte, i) => text + (i > 0 && i % 2 === 0 ? ':' : '') + byte.toString(16).padStart(2, '0'), '');
}

export const isLoopback = (address) => /^127\./.test(address) || /^(0000:){7}0001$/.test(address) || /^(0000:){5}ffff:7f/.test(address);

/**
 * @param {number} pid
 * @returns {{address: string, port: number}[]} its listening TCP sockets
 */
export function listening(pid) {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  }));
  return ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && inodes.has(fields[9]))
    .map((fields) => {
      const [address, port] = fields[1].split(':');
      return { address: addressOf(address), port: parseInt(port, 16) };
    }));
}
