/** Network namespaces, by iproute2 and util-linux. Root is not needed where users may have namespaces. */
import { execFileSync } from 'node:child_process';

const AS_USER = ['--user', '--map-current-user', '--keep-caps'];

/** Runs a command of an administrator's. @param {string[]} words */
export function run(...words) {
  execFileSync(words[0], words.slice(1), { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** @param {string[]} words of ip(8) */
export const ip = (...words) => run('ip', ...words);

/** The command that runs `words` in a namespace of its own, and ends them with this process. @param {string[]} words @returns {[string, string[]]} for spawn */
export function inNewNetwork(...words) {
  return ['unshare', [...(process.getuid() === 0 ? [] : AS_USER), '--net', '--', 'setpriv', '--pdeathsig', 'TERM', ...words]];
}
