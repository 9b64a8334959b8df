import { PassThrough, Readable } from 'node:stream';
import { type Advice, Journal } from '@fairlead/protocol';
import { describe, expect, it } from 'vitest';
import { adviceWords, tellAdvice } from './advice.ts';
import type { Terminal } from './terminal.ts';

describe('advice on the command line', () => {
  it.each<[Advice, RegExp]>([
    [{ code: 'no-session-support', proxy: 'px:3128', via: '' }, /^The proxy px:3128 reads every request .*promise/],
    [{ code: 'no-session-support', proxy: '', via: '' }, /^A proxy on this road reads/],
    [{ code: 'doubtful-refusal', proxy: 'px:3128' }, /tunnel of the proxy px:3128.*cannot with https/],
    [{ code: 'moved-connection', proxy: 'px:3128', via: '', status: 401 }, /px:3128 moved a connection.*status 401/],
    [{ code: 'many-handshakes', handshakes: 9, requests: 40 }, /9 sign-ins were needed for 40 requests/],
    [
      { code: 'tunnel-refused', proxy: 'px:1', status: 403, text: '' },
      /px:1 refused a tunnel \(status 403\).*forwards/,
    ],
  ])('R14, R25: has words for each kind: $code', (advice, words) => {
    expect(adviceWords(advice)).toMatch(words);
  });

  it('goes to standard error as it comes, and moves no cursor', () => {
    const journal = new Journal(() => 0);
    let told = '';
    const stderr = new PassThrough();
    stderr.on('data', (bytes: Buffer) => {
      told += bytes.toString('utf8');
    });
    const terminal: Terminal = {
      ...{ stdin: Readable.from([]), stdout: new PassThrough(), stderr, environment: {} },
      askSecret: () => Promise.resolve(null),
      onInterrupt: () => () => undefined,
    };
    tellAdvice(journal, terminal);
    journal.record({ event: 'state', state: 'opening' });
    journal.record({
      event: 'advice',
      advice: { code: 'tunnel-refused', proxy: 'a\u001b[2Jb', status: 405, text: '' },
    });
    expect(told).toMatch(/^fairlead: note: The proxy a \[2Jb refused a tunnel [^\u001b]*\n$/);
  });
});
