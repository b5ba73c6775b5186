/** The system call filter of a systemd unit, as rules for tests/hardening/under_filter. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const FAMILIES = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10, AF_NETLINK: 16 };

/** All that the names stand for: `@group` is what systemd says it is. @returns {Set<string>} */
function expand(names, into = new Set()) {
  for (const name of names) {
    if (!name.startsWith('@')) into.add(name);
    else expand(execFileSync('systemd-analyze', ['syscall-filter', name]).toString().split('\n').slice(1).map((line) => line.trim()).filter((line) => line && !line.startsWith('#')), into);
  }
  return into;
}

/** @param {string} file the unit @returns {string} */
export function filterOf(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const values = (key) => lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
  const calls = expand(['@default']);
  for (const value of values('SystemCallFilter')) {
    const isTaken = value.startsWith('~');
    for (const call of expand(value.replace('~', '').split(' '))) {
      if (isTaken) calls.delete(call);
      else calls.add(call);
    }
  }
  const families = values('RestrictAddressFamilies').flatMap((value) => value.split(' ')).map((name) => FAMILIES[name]);
  if (calls.size < 100 || families.length === 0 || families.includes(undefined)) throw new Error(`${file}: no filter of the kind that is known here`);
  return [...values('MemoryDenyWriteExecute').includes('yes') ? ['no-exec-memory'] : [], ...[...calls].map((call) => `call ${call}`),
    ...families.map((family) => `family ${family}`), ''].join('\n');
}
