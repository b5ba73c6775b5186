/** ./parley's commands for developers take what they are given; what they would run stands aside. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../lib/stack.mjs';

/** In place of ./parley, with what takes long replaced by a word of it. */
const SCRIPT = `set -eu
root=$1 build=/nonexistent
shift
die() { echo "$*" >&2; exit 1; }
set_up() { :; }
install_packages() { :; }
install_node_packages() { :; }
build_in() { :; }
raise_descriptor_limit() { :; }
. "$root/tests/commands.sh"
for kind in all unit broker security fuzz browser; do eval "test_$kind() { echo $kind with \\\${PARLEY_MOSQUITTO:-the usual}; }"; done
test_faults() { echo "faults $*"; }
"$@"`;

describe('./parley test and bench', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'parley-commands-')));
  after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of [['node', 'printf "%s\\n" "$@"'], ['nginx', ''], ['mosquitto-x', '']]) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }

  /** What it prints, run in the folder. */
  async function run(...words) {
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, PARLEY_MOSQUITTO: '' };
    const { stdout } = await promisify(execFile)('sh', ['-c', SCRIPT, 'sh', root, ...words], { cwd: folder, env });
    return stdout.trim().split('\n');
  }

  test('all kinds that are named run, in that order', async () => {
    assert.deepEqual(await run('command_test'), ['all with the usual']);
    assert.deepEqual(await run('command_test', 'unit', 'broker'), ['unit with the usual', 'broker with the usual']);
    assert.deepEqual(await run('command_test', 'browser', '--mosquitto', './mosquitto-x', 'unit'), [`browser with ${folder}/mosquitto-x`, `unit with ${folder}/mosquitto-x`]);
    assert.deepEqual(await run('command_test', 'fuzz', '--points', '5', 'faults', '--only', 'kills'), ['fuzz with the usual', 'faults --points 5 --only kills']);
  });

  test('what there is not is said', async () => {
    await assert.rejects(run('command_test', 'units'), { stderr: /no tests called units/ });
    await assert.rejects(run('command_test', 'unit', '--points', '5'), { stderr: /no tests called --points/ });
    await assert.rejects(run('command_test', 'unit', '--mosquitto'), { stderr: /--mosquitto needs a value/ });
    for (const command of ['command_test', 'command_bench']) await assert.rejects(run(command, '--mosquitto', './none'), { stderr: /\.\/none is no program/ });
  });

  test('files are where the caller says, not where the benchmark runs', async () => {
    assert.deepEqual(await run('command_bench', '--only', 'calls', '--json', 'out.json', '--mosquitto', './mosquitto-x', '--rounds', '1'),
      ['bench/run.mjs', '--only', 'calls', '--json', `${folder}/out.json`, '--mosquitto', `${folder}/mosquitto-x`, '--rounds', '1']);
  });
});
