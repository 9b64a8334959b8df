import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { startWinRmHost, type WinRmHost } from '../../testbed/src/index.ts';
import { run } from './run.ts';

const PASSWORD = 'Correct-horse-9';
const hosts: WinRmHost[] = [];
afterEach(() => Promise.all(hosts.splice(0).map((host) => host.close())));

/** Runs `fairlead shell` with lines on standard input, its output going to terminals or to pipes. */
async function shellPrints(lines: string, isTTY: boolean): Promise<{ stdout: string; stderr: string }> {
  const host = await startWinRmHost({ accounts: [{ user: 'ana', domain: 'CORP', password: PASSWORD }] });
  hosts.push(host);
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => {
    const through = new PassThrough();
    through.on('data', (bytes: Buffer) => {
      written[name] += bytes.toString('utf8');
    });
    return Object.assign(through, { isTTY });
  };
  const code = await run(['shell', '-t', `http://127.0.0.1:${host.port}`, '-u', 'CORP\\ana'], {
    stdin: Readable.from([Buffer.from(lines)]),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    environment: { FAIRLEAD_PASSWORD: PASSWORD },
    askSecret: () => Promise.resolve(null),
    onInterrupt: () => () => undefined,
  });
  expect(code).toBe(0);
  return written;
}

/** Sets the clipboard, asks where the cursor is, sets the title, goes back home, colours a word. */
const EVIL = '\u001b]52;c;ZXZpbA==\u0007\u001b[6n\u001b]0;title\u0007\u001b[31mdone\u001b[0m';
const PRINTED = EVIL.replaceAll('\u001b', '\\033').replaceAll('\u0007', '\\007');

describe('fairlead shell', () => {
  it('lets no sequence reach a terminal that acts beyond the screen, on either stream', async () => {
    const { stdout, stderr } = await shellPrints(`printf '${PRINTED}'\nprintf '${PRINTED}' >&2\n`, true);
    for (const text of [stdout, stderr]) {
      expect(text).toContain('\u001b[31mdone\u001b[0m');
      expect(text.replace(/\u001b\[\d*[mJHK]/g, '')).not.toMatch(/[\u0007\u001b]/);
    }
  });

  it('passes everything on where no terminal reads it', async () => {
    const { stdout, stderr } = await shellPrints(`printf '${PRINTED}'\nprintf '${PRINTED}' >&2\n`, false);
    expect(stdout).toContain(EVIL);
    expect(stderr).toContain(EVIL);
  });

  it.each([
    ['a control character', 'echo a\u0001b', 'control character'],
    ['more than cmd.exe takes', `echo ${'x'.repeat(8187)}`, 'too long'],
  ])('sends no line with %s, says why and goes on', async (_what, line, why) => {
    const { stdout, stderr } = await shellPrints(`${line}\necho after-$((6*7))\n`, false);
    expect(stderr).toContain(why);
    expect(stderr).toContain('It was not sent.');
    expect(stdout).toContain('after-42');
    expect(stdout).not.toMatch(/a\u0001b|xxxx/);
  });
});
