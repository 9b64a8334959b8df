import { describe, expect, it, vi } from 'vitest';
import { type Rehearsal, rehearse, TRANSPORTS } from '../../testbed/src/crooked/rehearsal.ts';
import { run } from './run.ts';

// A proxy that cuts what is silent, and a shell at which nobody types for longer.

const IDLE_MS = 3000;
const PATIENCE = { timeout: 30_000, interval: 20 };
const MISSING = 'fairlead: the connection was lost; some output may be missing here\n';

const receives = (r: Rehearsal): number =>
  r.host.journal.connections().flatMap(({ operations }) => operations.filter((name) => name === 'Receive')).length;

describe.concurrent('a shell left idle longer than a proxy allows', { timeout: 45_000 }, () => {
  it.each(TRANSPORTS)('%s: goes on working, at one sign-in for each cut at most: R20, R22, R25', async (transport) => {
    const r = await rehearse({ run, proxy: { crookedness: 'cuts-idle', idleMs: IDLE_MS } });
    try {
      const shell = r.begin(['shell', ...r.wordsFor(transport)]);
      shell.stdin.write('name=ana; echo one-$((1+1))\n');
      await vi.waitFor(() => expect(shell.written.stdout).toContain('one-2'), PATIENCE);
      // Both lanes are silent: Receive waits for 20 s, and nobody types.
      await vi.waitFor(() => expect(r.proxy.journal.bentCount).toBeGreaterThanOrEqual(2), PATIENCE);
      const before = receives(r);
      await vi.waitFor(() => expect(receives(r)).toBeGreaterThan(before + 3), PATIENCE);
      // Something passes in time now: over three times three seconds nothing more was cut, but what is cut is opened again.
      expect(r.signInCount()).toBeLessThanOrEqual(2 + r.proxy.journal.bentCount);
      shell.stdin.write('echo $name-$((2+2))\n');
      await vi.waitFor(() => expect(shell.written.stdout).toContain('ana-4'), PATIENCE);
      shell.stdin.end('exit 5\n');
      const { exitCode, stderr } = await shell.done;
      expect([exitCode, stderr]).toEqual([5, MISSING]);
      expect(r.signInCount()).toBeLessThanOrEqual(2 + r.proxy.journal.bentCount);
      expect(r.proxy.journal.bentCount).toBeLessThanOrEqual(4);
    } finally {
      await r.close();
    }
  });

  it('says what happens where no silence at all is allowed, and does not go round in circles: R22', async () => {
    const r = await rehearse({ run, proxy: { crookedness: 'cuts-idle', idleMs: 700 } });
    try {
      const words = ['exec', ...r.wordsFor('http, tunnel'), '--', 'sleep 15; echo never seen'];
      const { exitCode, stdout, stderr } = await r.perform(words, null);
      expect([exitCode, stdout]).toEqual([66, '']);
      expect(stderr).toContain(`The connection through the proxy 127.0.0.1:${r.proxy.port} was closed`);
      expect(stderr).toContain('[proxy.drops-connection]');
      expect(r.signInCount()).toBeLessThanOrEqual(5);
    } finally {
      await r.close();
    }
  });
});
