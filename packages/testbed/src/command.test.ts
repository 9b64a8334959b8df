import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { HIGH_WATER_BYTES, HostCommand } from './command.ts';

const BOTH = new Set(['stdout', 'stderr']);
const NEVER = new AbortController().signal;
const SIGINT_EXIT = 0xc000013a;

function start(line: string): { command: HostCommand; ended: Promise<number> } {
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  const environment = { PATH: '/usr/bin:/bin' };
  return { command: new HostCommand({ line, directory: tmpdir(), environment, onEnd: resolve }), ended };
}

describe('HostCommand', () => {
  test('holds back a process whose output nobody fetches, and loses none of it', async () => {
    const total = 20_000_000;
    const { command, ended } = start(`head -c ${total} /dev/zero`);
    let fetched = 0;
    let mostHeld = 0;
    for (let exitCode: number | null = null; exitCode === null; ) {
      const receipt = await command.receive(BOTH, 300_000, 10_000, NEVER);
      for (const { bytes } of receipt.chunks) fetched += bytes.length;
      exitCode = receipt.exitCode;
      mostHeld = Math.max(mostHeld, command.heldBytes);
      await new Promise((resolve) => setTimeout(resolve, 1)); // slower than the process
    }
    expect(fetched).toBe(total);
    expect(mostHeld).toBeLessThan(HIGH_WATER_BYTES + 128 * 1024);
    expect(await ended).toBe(0);
  });

  test('gives no more than was asked for, and keeps the order', async () => {
    const { command, ended } = start('printf abc; printf de >&2; exit 3');
    await ended;
    const first = await command.receive(new Set(['stderr']), 10, 1000, NEVER);
    expect(first.chunks.map(({ stream, bytes }) => [stream, bytes.toString()])).toEqual([['stderr', 'de']]);
    expect(first.exitCode).toBeNull();
    const second = await command.receive(BOTH, 2, 1000, NEVER);
    expect(second).toMatchObject({ chunks: [{ stream: 'stdout' }], exitCode: null });
    const third = await command.receive(BOTH, 2, 1000, NEVER);
    expect(third.chunks[0]?.bytes.toString()).toBe('c');
    expect(third).toMatchObject({ ended: [], exitCode: null });
    expect(await command.receive(BOTH, 2, 1000, NEVER)).toMatchObject({ chunks: [], exitCode: 3 });
  });

  test('Ctrl+C ends it as it ends a Windows process, Ctrl+Break too when Ctrl+C is ignored', async () => {
    // exec: dash, when a signal comes between its fork and the child's exec, waits for a child that never heard of it
    const one = start('exec sleep 100');
    one.command.signal('SIGINT');
    expect(await one.ended).toBe(SIGINT_EXIT);
    const two = start("trap '' INT; echo ready; sleep 100");
    await two.command.receive(BOTH, 10, 10_000, NEVER);
    two.command.signal('SIGINT');
    two.command.signal('SIGQUIT');
    expect(await two.ended).toBe(SIGINT_EXIT);
  });

  test('closing it ends its whole group', async () => {
    const { command, ended } = start('sleep 100 & echo $!; wait');
    const { chunks } = await command.receive(BOTH, 100, 10_000, NEVER);
    const grandchild = Number(chunks[0]?.bytes.toString());
    const waiting = command.receive(BOTH, 100, 10_000, NEVER);
    command.close();
    await expect(waiting).rejects.toMatchObject({ code: 995 });
    expect(await ended).toBe(137);
    await expect.poll(() => existsSync(`/proc/${grandchild}/fd/0`)).toBe(false);
  });

  test('input reaches it, and its end too; afterwards the pipe is closed', async () => {
    const { command, ended } = start('cat');
    await command.send(Buffer.from('ab'), false, 1000);
    await command.send(Buffer.from('cd'), true, 1000);
    await expect(command.send(Buffer.from('e'), false, 1000)).rejects.toMatchObject({ code: 109 });
    expect(await ended).toBe(0);
    const { chunks } = await command.receive(BOTH, 100, 1000, NEVER);
    expect(chunks.map(({ bytes }) => bytes.toString()).join('')).toBe('abcd'); // one piece or two, as the pipe pleases
  });

  test('input that nobody reads is refused in time', async () => {
    const { command } = start('sleep 100');
    const sent = command.send(Buffer.alloc(4_000_000), false, 20);
    await expect(sent).rejects.toMatchObject({ code: 2150858793 });
    await expect(command.send(Buffer.alloc(1), false, 20)).rejects.toMatchObject({ code: 2150858793 });
    command.close();
  });
});
