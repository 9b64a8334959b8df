import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { HOST_PASSWORD, PROXY_PASSWORD, rehearse } from '../../testbed/src/crooked/rehearsal.ts';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-tunnels-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const PATIENCE = { timeout: 15_000, interval: 10 };

describe('a proxy that splices two tunnels under a working shell', () => {
  it.each([
    ['http, tunnel', /moved your connection|The password may well be right/],
    ['https, tunnel', /Encrypted data from the host cannot be believed|TLS alert “bad_record_mac”/],
  ] as const)('%s: what was typed is not done, and it is said what moved: R10, R24', async (transport, why) => {
    const r = await rehearse({
      run,
      proxy: { crookedness: 're-pairs', calmTurns: Infinity },
      host: { limits: { maxTimeoutMs: 1000 } },
    });
    const file = join(folder, transport.slice(0, 5));
    try {
      const shell = r.begin(['shell', ...r.wordsFor(transport)]);
      shell.stdin.write('echo one-$((1+1))\n');
      await vi.waitFor(() => expect(shell.written.stdout).toContain('one-2'), PATIENCE);
      r.proxy.misbehave();
      shell.stdin.write(`touch ${file}\n`);
      const { exitCode, stderr } = await shell.done;
      expect([exitCode > 63, stderr]).toEqual([true, expect.stringMatching(why)]);
      expect(stderr).not.toMatch(/auth\.rejected|Check user name/);
      expect(existsSync(file)).toBe(false);
      for (const client of [1, 2]) {
        expect(new Set(r.proxy.journal.upstreamsOf(client).slice(0, 2))).toEqual(new Set([1, 2]));
      }
    } finally {
      await r.close();
    }
  });
});

describe('a proxy that opens TLS', () => {
  it('is let read by whoever trusts its authority, but the host refuses the sign-in: auth.binding-refused', async () => {
    const r = await rehearse({ run, proxy: { crookedness: 'inspects-tls' } });
    const ca = join(folder, 'authority.pem');
    writeFileSync(ca, r.proxy.authority ?? '');
    try {
      const words = r.wordsFor('https, tunnel').slice(0, -2);
      const { exitCode, stdout, stderr } = await r.perform(
        ['exec', ...words, '--ca', ca, '--', 'echo never seen'],
        null,
      );
      expect([exitCode > 63, stdout]).toEqual([true, '']);
      expect(stderr).toContain('[auth.binding-refused]');
      expect(stderr).toContain('a proxy on the road opens the encryption');
      expect(stderr).toContain('issuer CN=Inspecting Proxy CA');
      // That is what inspection means: the legs can be read. The password and the command cannot.
      expect(r.seen()).toContain('Authorization: Negotiate');
      for (const secret of [HOST_PASSWORD, 'never seen', 'Envelope']) expect(r.seen()).not.toContain(secret);
    } finally {
      await r.close();
    }
  });
});

describe('a proxy that wants its own sign-in', () => {
  it.each(['auto', 'ntlm', 'basic'])(
    'gets it with --proxy-auth %s, and a wrong one is its own trouble',
    async (how) => {
      const r = await rehearse({ run, proxy: { crookedness: 'asks-for-sign-in' } });
      try {
        const user = ['--proxy-user', 'OFFICE\\pia', '--proxy-auth', how];
        const words = ['exec', ...r.wordsFor('https, tunnel'), ...user, '--', 'echo hello'];
        expect(await r.perform(words, null)).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
        const wrong = await r.perform(words, null, { FAIRLEAD_PROXY_PASSWORD: 'wrong' });
        expect([wrong.exitCode, wrong.stderr]).toEqual([66, expect.stringContaining('[proxy.auth-rejected]')]);
        expect(wrong.stderr).toContain(`The proxy 127.0.0.1:${r.proxy.port} refused the sign-in`);
        // R6: inside the tunnel nobody finds it.
        for (const secret of [PROXY_PASSWORD, HOST_PASSWORD]) expect(r.seen()).not.toContain(secret);
        expect(r.signInCount()).toBe(1);
      } finally {
        await r.close();
      }
    },
  );
});
