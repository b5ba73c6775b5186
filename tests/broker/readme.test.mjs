/** The README's table of options is the one that the code prints. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../lib/stack.mjs';

test('the README lists every option of the configuration as it is', () => {
  const printed = execFileSync(join(process.env.PARLEY_BUILD_DIR ?? join(root, 'build'), 'bin/parley-ctl'), ['options'], { encoding: 'utf8' });
  const [, shown] = /<!-- options:[^\n]*-->\n([^]*?)<!-- \/options -->/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  assert.equal(shown, printed);
});
