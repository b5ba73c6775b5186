/** What was built, as an installation that any user of the machine can reach, wherever the sources are. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const build = process.env.PARLEY_BUILD_DIR ?? join(root, 'build');
export const sanitized = readFileSync(join(build, 'lib/parley_gate.so')).includes('libasan.so');

/**
 * Copies the build to a folder of its own, which is gone after the tests of the `describe` that this is called in.
 *
 * @returns {string} for PARLEY_BUILD_DIR
 */
export function useInstalled() {
  const folder = mkdtempSync(join(tmpdir(), 'parley-installed-'));
  for (const part of ['bin/httpd', 'bin/roomd', 'bin/parley-ctl', 'lib/parley_gate.so', 'web']) {
    mkdirSync(join(folder, part, '..'), { recursive: true });
    cpSync(join(build, part), join(folder, part), { recursive: true });
  }
  for (const part of ['', 'bin', 'lib', 'lib/parley_gate.so', 'web']) chmodSync(join(folder, part), 0o755);
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Puts a program in another's place, which calls it as `behind`. @param {string} file @param {string} command what comes before it */
export function wrap(file, command, behind = `${file}.real`) {
  if (behind === `${file}.real`) cpSync(file, behind);
  writeFileSync(file, `#!/bin/sh\nexec ${command} ${behind} "$@"\n`, { mode: 0o755 });
  chmodSync(file, 0o755);
}
