import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { catchWritten } from '../../testbed/src/written.ts';
import { Interrupts } from './interrupts.ts';
import { run } from './run.ts';
import type { Terminal } from './terminal.ts';

function terminal(environment: Record<string, string> = {}) {
  const { written, stdout, stderr } = catchWritten();
  const fake: Terminal = {
    stdin: Readable.from([]),
    stdout,
    stderr,
    environment,
    askSecret: () => Promise.resolve(null),
    onInterrupt: () => () => undefined,
  };
  return { fake, written };
}

describe('run', () => {
  it('prints help that shows a first try, and exits with 0', async () => {
    const { fake, written } = terminal();
    expect(await run(['--help'], fake)).toBe(0);
    expect(written.stdout).toContain('A first try:');
    for (const line of written.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('prints its version', async () => {
    const { fake, written } = terminal();
    expect(await run(['--version'], fake)).toBe(0);
    expect(written.stdout).toMatch(/^fairlead \d+\.\d+\.\d+\n$/);
  });

  it('says on one line what is wrong with the words, exits with 64', async () => {
    const { fake, written } = terminal();
    expect(await run(['exec'], fake)).toBe(64);
    expect(written.stderr).toMatch(/^fairlead: Say where: .*\n {2}More: fairlead --help\n$/);
  });

  it('does so as JSON when asked', async () => {
    const { fake, written } = terminal();
    expect(await run(['exec', '--json'], fake)).toBe(64);
    expect(JSON.parse(written.stdout)).toMatchObject({ type: 'error', code: 'usage' });
  });

  it('wants a password from the environment or a person', async () => {
    const { fake, written } = terminal();
    expect(await run(['exec', '-t', '127.0.0.1:1', '-u', 'a', '--', 'x'], fake)).toBe(64);
    expect(written.stderr).toContain('FAIRLEAD_PASSWORD');
  });

  it('prints an error of the session as a block, or as JSON with its details', async () => {
    const words = ['exec', '-t', '127.0.0.1:1', '-u', 'a'];
    const { fake, written } = terminal({ FAIRLEAD_PASSWORD: 'secret-1' });
    expect(await run([...words, '--', 'x'], fake)).toBe(65);
    expect(written.stderr).toContain('[relay.connection-refused]');
    const second = terminal({ FAIRLEAD_PASSWORD: 'secret-1' });
    expect(await run([...words, '--json', '--', 'x'], second.fake)).toBe(65);
    const error = JSON.parse(second.written.stdout);
    expect(error).toMatchObject({ code: 'relay.connection-refused', details: { host: '127.0.0.1', port: 1 } });
    expect(written.stderr + second.written.stdout).not.toContain('secret-1');
  });
});

describe('Interrupts', () => {
  it('interrupts once, and gives up on a second press within three seconds', () => {
    let now = 0;
    let sent = 0;
    const interrupt = (): Promise<void> => {
      sent += 1;
      return Promise.resolve();
    };
    const session = { state: { at: 'ready' }, interrupt };
    const giveUp = new AbortController();
    const interrupts = new Interrupts(session, giveUp, () => now);
    expect(interrupts.press()).toBe('interrupted');
    now = 3500;
    expect(interrupts.press()).toBe('interrupted');
    expect([sent, giveUp.signal.aborted]).toEqual([2, false]);
    now = 4000;
    expect(interrupts.press()).toBe('gave-up');
    expect([sent, giveUp.signal.aborted]).toEqual([2, true]);
  });

  it('gives up at once while there is nothing to interrupt yet', () => {
    const session = { state: { at: 'dialling' }, interrupt: () => Promise.reject(new Error('not yet')) };
    const giveUp = new AbortController();
    expect(new Interrupts(session, giveUp).press()).toBe('gave-up');
    expect(giveUp.signal.aborted).toBe(true);
  });
});
