/** A wall clock that is set, by hours and days, back and forth: Debian's libfaketime in front of the whole stack. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repeat, withCalls } from './scene.mjs';
import { times } from './table.mjs';
import { pick } from './calls.mjs';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const HOUR_S = 3600;
const OFFSETS_S = [HOUR_S, -HOUR_S, 24 * HOUR_S, -24 * HOUR_S, 0];
const BACK_MS = 20_000;
/** So many are without a connection while the clock is set, and come back with a token of before. */
const DROPPED = 20;

/** @param {number} points */
export async function clock(points) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-clock-'));
  chmodSync(folder, 0o711); // the daemons are another user
  const file = join(folder, 'now');
  const set = (offsetS) => {
    writeFileSync(file, `${offsetS >= 0 ? '+' : ''}${offsetS}s\n`);
    chmodSync(file, 0o644);
  };
  set(0);
  const env = { LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' };
  try {
    return await withCalls({ env, mode: 0o711 }, async (scene) => {
      const { calls } = scene;
      let evicted = 0;
      let now = 0;
      const sum = await repeat(scene, points, async () => {
        now = pick(OFFSETS_S.filter((offset) => offset !== now));
        const dropped = calls.peers.toSorted(() => Math.random() - 0.5).slice(0, DROPPED);
        for (const peer of dropped) peer.drop();
        set(now);
        const at = performance.now();
        const back = (await calls.back(BACK_MS, at, dropped)) - at;
        const pair = pick(calls.pairs); // and one loads its page again: httpd has to take its token, too
        const { ada } = pair;
        await calls.reload(pair, ada);
        await calls.settle([pair]);
        const told = ada.grant.expires_at - ada.grant.expires_in - Date.now() / 1000;
        if (Math.abs(told - now) > 10) throw new Error(`the server's clock is ${told} s ahead, and not ${now} s`);
        evicted += calls.peers.reduce((total, peer) => total + peer.reconnects + peer.refusals, 0) - dropped.length;
        return back;
      });
      return [{
        fault: 'clock ± 1 h, ± 1 day', points, must: '0 evictions',
        seen: `${evicted} evicted, ${sum.lost} lost, ${sum.intruders} thirds, ${sum.wrongRooms} rooms with others; ${DROPPED} with tokens of before back ${times(sum.times)}`,
        holds: evicted === 0 && sum.lost === 0 && sum.wrongRooms === 0 && sum.intruders === 0,
      }];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
