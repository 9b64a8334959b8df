import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Crookedness } from '../../testbed/src/crooked/crooked-proxy.ts';
import { HOST_PASSWORD, rehearse, TRANSPORTS, type Transport } from '../../testbed/src/crooked/rehearsal.ts';
import { run } from './run.ts';

// Every way a proxy misbehaves, on every transport: what the person sees, and what the proxy could read.

/** What a road comes to: it opens, or this is said. The words are from the block that is printed. */
interface Verdict {
  /** "opens", or the code of the error. */
  readonly code: string;
  /** `PROXY` and `HOST` stand for host:port of the two. */
  readonly says?: readonly string[];
  readonly exitCode?: number;
}

const OPENS: Verdict = { code: 'opens' };
const NEEDS_HTTPS: Verdict = {
  code: 'proxy.needs-https',
  says: ['The proxy PROXY wants a sign-in', 'gets none for an http target', 'Reach the server by https'],
};
const moved = (...says: string[]): Verdict => ({
  code: 'proxy.no-affinity',
  says: [...says, 'this says nothing about your password'],
});
const drops = (...says: string[]): Verdict => ({
  code: 'proxy.drops-connection',
  says: [...says, 'your password has nothing to do with it', 'https port 5986'],
});
const rewrites: Verdict = {
  code: 'proxy.rewrites-auth',
  says: ['came through the proxy PROXY offers no way to sign in, where Negotiate is needed', 'may have removed'],
};
const falseTunnel: Verdict = {
  code: 'proxy.false-tunnel',
  says: ['The proxy PROXY said that the tunnel to HOST is open', 'text: Welcome to the guest network'],
};

const truncated = (...says: string[]): Verdict => ({
  code: 'http.closed-early',
  says: ['The connection through the proxy PROXY was closed', ...says],
});

/** In the order of TRANSPORTS. */
const EXPECTED: Readonly<Record<Crookedness, readonly [Verdict, Verdict, Verdict]>> = {
  'asks-for-sign-in': [NEEDS_HTTPS, NEEDS_HTTPS, OPENS],
  're-pairs': [
    moved('The proxy PROXY moved your connection: the host no longer knows the sign-in (status 401)'),
    moved('The host refused the sign-in half-way', 'The password may well be right'),
    { code: 'tls.bad-record', says: ['Encrypted data from the host cannot be believed', 'use another road'] },
  ],
  'shares-connections': [OPENS, OPENS, OPENS],
  'closes-after-200': [
    drops('The connection through the proxy PROXY was closed', '(signed-in)'),
    drops('The connection through the proxy PROXY was closed', '(signed-in)'),
    OPENS,
  ],
  'closes-after-401': [
    drops('The connection through the proxy PROXY was closed', '(authenticate)'),
    drops('The connection through the proxy PROXY was closed', '(authenticate)'),
    OPENS,
  ],
  'speaks-http-1.0': [OPENS, drops('The proxy PROXY speaks HTTP/1.0', '(authenticate)'), OPENS],
  'strips-challenges': [rewrites, rewrites, OPENS],
  'says-close': [
    drops('The answer that came through the proxy PROXY announces the end of the connection'),
    drops('The answer that came through the proxy PROXY announces the end of the connection'),
    OPENS,
  ],
  'answers-html-after-200': [
    falseTunnel,
    {
      code: 'proxy.foreign-page',
      says: [
        'Through the proxy PROXY a web page came back (status 200) where WinRM on HOST should have answered',
        'text: Welcome to the guest network',
      ],
    },
    falseTunnel,
  ],
  'asks-with-401': [
    NEEDS_HTTPS,
    NEEDS_HTTPS,
    {
      code: 'proxy.auth-rejected',
      says: ['The proxy PROXY refused the sign-in with Basic', 'for this proxy', 'they are not the server’s'],
    },
  ],
  'keeps-first-challenge': [OPENS, OPENS, OPENS],
  'lends-authenticated-connection': [OPENS, OPENS, OPENS],
  'loops-407': [
    NEEDS_HTTPS,
    NEEDS_HTTPS,
    { code: 'proxy.auth-loops', says: ['The proxy PROXY asked 2 times to sign in with Digest'] },
  ],
  dribbles: [OPENS, OPENS, OPENS],
  'cuts-idle': [OPENS, OPENS, OPENS],
  truncates: [
    truncated('in the middle of an answer', 'Your password has nothing to do with it', 'https (port 5986)'),
    truncated('in the middle of an answer', 'Your password has nothing to do with it', 'https (port 5986)'),
    truncated('before an answer came', 'or use another road'),
  ],
  injects: [
    { code: 'http.malformed', says: ['<script src=', 'Something between here and the host writes into HTTP'] },
    { code: 'seal.malformed', says: ['something on the road is changing messages'] },
    { code: 'tls.bad-record', says: ['changed or damaged on the way, and the proxy PROXY is on it'] },
  ],
  'inspects-tls': [
    OPENS,
    OPENS,
    {
      code: 'tls.pin-changed',
      says: [
        '127.0.0.1 shows another certificate',
        'something on the road reads along',
        'issuer: CN=Inspecting Proxy CA',
      ],
    },
  ],
};

/** Alone on the road these two do no harm; `crooked-strangers.test.ts` brings somebody else. One lane keeps it so. */
const WITHOUT_INPUT: readonly Crookedness[] = ['shares-connections', 'lends-authenticated-connection'];
/** Where a proxy cannot do what it is there for: nobody else is there, TLS hides what it reads, or there is none to open. */
const UNMET: Partial<Record<Crookedness, readonly Transport[]>> = {
  'shares-connections': TRANSPORTS,
  'lends-authenticated-connection': TRANSPORTS,
  'closes-after-200': ['https, tunnel'],
  'closes-after-401': ['https, tunnel'],
  'strips-challenges': ['https, tunnel'],
  'says-close': ['https, tunnel'],
  'keeps-first-challenge': ['https, tunnel'],
  'inspects-tls': ['http, tunnel', 'http, absolute form'],
};
const isMet = (crookedness: Crookedness, transport: Transport): boolean =>
  !(UNMET[crookedness]?.includes(transport) ?? false);

/** A command that is silent for longer than the proxy allows, while the lane that waits for it never is. */
const SLOW = { proxy: { idleMs: 1500 }, host: { maxTimeoutMs: 500 }, command: 'cat; sleep 3; printf err >&2; exit 3' };

const ASKING: readonly Crookedness[] = ['asks-for-sign-in', 'asks-with-401', 'loops-407'];

/** Nothing of these may be read on a road: the password, the command, its output, an envelope. */
const SECRETS = [HOST_PASSWORD, 'printf', 'typed', 'Envelope', 'cmd.exe'];

/** What somebody is told whose password was wrong. */
const PASSWORD_TROUBLE = /auth\.rejected\]|Check user name, domain and password/;

const table: string[] = [];
afterAll(() => console.log(['| The proxy | transport | what comes of it |', ...table].join('\n')));

describe.each(Object.keys(EXPECTED) as Crookedness[])('a road whose proxy %s', (crookedness) => {
  it.each(TRANSPORTS.map((transport, at) => [transport, EXPECTED[crookedness][at] as Verdict] as const))(
    '%s: R8, R20, R22, R23, R28',
    async (transport, verdict) => {
      const { code, says = [] } = verdict;
      const isSecure = transport === 'https, tunnel';
      const calm = isSecure && crookedness === 'truncates' ? { calmTurns: 1 } : {};
      const slow = crookedness === 'cuts-idle' ? SLOW : null;
      const r = await rehearse({
        run,
        proxy: { crookedness, ...calm, ...slow?.proxy },
        host: { offers: ['Kerberos', 'Negotiate', 'NTLM'], limits: slow?.host ?? { maxTimeoutMs: 1000 } },
      });
      const asking = ASKING.includes(crookedness) ? ['--proxy-user', 'OFFICE\\pia', ...basicFor(crookedness)] : [];
      const words = ['exec', ...r.wordsFor(transport), ...asking, '--', slow?.command ?? 'cat; printf err >&2; exit 3'];
      const input = WITHOUT_INPUT.includes(crookedness) ? null : 'typed\n';
      const wrong = crookedness === 'asks-with-401' ? { FAIRLEAD_PROXY_PASSWORD: 'wrong' } : {};
      try {
        const { exitCode, stdout, stderr } = await r.perform(forInput(words, input), input, wrong);
        table.push(`| ${crookedness} | ${transport} | ${code} |`);
        if (code === 'opens') {
          expect([exitCode, stdout, stderr]).toEqual([
            3,
            input ?? '',
            expect.stringMatching(/^(?:fairlead: note: .*\n)?err$/),
          ]);
          const lanes = input === null ? 1 : 2;
          expect(r.signInCount()).toBeGreaterThanOrEqual(lanes);
          expect(r.signInCount()).toBeLessThanOrEqual(lanes + (slow === null ? 0 : r.proxy.journal.bentCount));
        } else {
          const place = (text: string): string =>
            text.replace('PROXY', `127.0.0.1:${r.proxy.port}`).replace('HOST', `127.0.0.1:${portOf(words)}`);
          expect(stderr).toContain(`[${code}]`);
          for (const sentence of says) expect(stderr).toContain(place(sentence));
          expect([exitCode > 63, stdout]).toEqual([true, '']);
          // R20, R22: one more sign-in behind a close, and a stop behind the second.
          if (crookedness === 'closes-after-200') expect(r.signInCount()).toBe(2);
          else expect(r.signInCount()).toBeLessThanOrEqual(2);
        }
        expect(r.proxy.journal.bentCount > 0).toBe(isMet(crookedness, transport));
        expect(stderr).not.toMatch(PASSWORD_TROUBLE);
        for (const secret of SECRETS) expect(r.seen()).not.toContain(secret);
        if (code === NEEDS_HTTPS.code) expect(r.seen()).not.toContain('Proxy-Authorization');
        expect(r.proxy.journal.clientCount).toBeLessThanOrEqual(4);
      } finally {
        await r.close();
      }
    },
  );
});

it('is what docs/peers.md tells', () => {
  const text = readFileSync(new URL('../../../docs/peers.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Crooked proxies'));
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:---|The proxy)/.test(line));
  const cells = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  expect(cells).toEqual(
    (Object.keys(EXPECTED) as Crookedness[]).map((name) => [
      name,
      ...EXPECTED[name].map(({ code }, at) => (isMet(name, TRANSPORTS[at] as Transport) ? code : `${code}, unmet`)),
    ]),
  );
});

/** Where nobody types, a command that reads nothing. */
function forInput(words: readonly string[], input: string | null): readonly string[] {
  return input === null ? words.with(-1, 'printf err >&2; exit 3') : words;
}

function portOf(words: readonly string[]): string {
  return /:(\d+)$/.exec(words[2] ?? '')?.[1] ?? '';
}

/** tinyproxy, whose ways that is, knows nothing but Basic, which the command line uses only when it is told to. */
function basicFor(crookedness: Crookedness): readonly string[] {
  return crookedness === 'asks-with-401' ? ['--proxy-auth', 'basic'] : [];
}
