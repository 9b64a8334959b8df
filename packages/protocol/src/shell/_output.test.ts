import { describe, expect, it } from 'vitest';
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { WinRmError } from '../errors.ts';
import type { ReceiveReply } from '../wsman/operations.ts';
import { Output } from './_output.ts';

const reply = (text: string, exitCode: number | null = null): ReceiveReply => ({
  chunks: [...text].map((character) => ({ stream: 'stdout' as const, bytes: utf8Encode(character) })),
  exitCode,
});

function outputOf(replies: (ReceiveReply | WinRmError)[], isClosing = () => false) {
  const seen = { received: 0, exit: null as number | null, failure: null as unknown };
  const output = new Output({
    async receive() {
      seen.received++;
      const next = replies.shift();
      if (next === undefined || next instanceof WinRmError)
        throw next ?? new WinRmError('shell.closed', { reason: 'test' });
      return next;
    },
    onExit: (code) => {
      seen.exit = code;
    },
    onFailure: (error) => {
      seen.failure = error;
    },
    isClosing,
    beginsWithGap: false,
  });
  return { output, seen };
}

async function take(output: Output, count = Infinity): Promise<string> {
  let text = '';
  if (count === 0) return text;
  for await (const { bytes } of output) {
    text += utf8Decode(bytes);
    if (text.length >= count) break;
  }
  return text;
}

describe('Output', () => {
  it('says once where something may be missing, however often that place is lost, and anew after more output', async () => {
    const lost = (news: ReceiveReply | WinRmError) => (onRepeat: () => void) => {
      onRepeat();
      if (news instanceof WinRmError) throw news;
      return news;
    };
    const nothing = new WinRmError('wsman.timed-out', { seconds: 20 });
    const turns = [
      lost(reply('a')),
      lost(nothing),
      lost(nothing),
      lost(reply('b')),
      lost(reply('')),
      () => reply('', 0),
    ];
    const output = new Output({
      beginsWithGap: false,
      receive: async (onRepeat) => (turns.shift() ?? expect.fail('asked too often'))(onRepeat),
      onExit: () => undefined,
      onFailure: (error) => expect.fail(String(error)),
      isClosing: () => false,
    });
    let text = '';
    for await (const { stream, bytes } of output) text += stream === 'gap' ? '|' : utf8Decode(bytes);
    expect(text).toBe('|a|b|');
  });

  it('asks for more only when the last chunk has been taken, and tells the exit after it', async () => {
    const { output, seen } = outputOf([reply('ab'), reply('c', 3)]);
    expect(seen.received).toBe(0);
    expect(await take(output, 2)).toBe('ab');
    expect(seen.received).toBe(1);
    expect(await take(output, 1)).toBe('c');
    expect(seen).toMatchObject({ received: 2, exit: null });
    expect(await take(output)).toBe('');
    expect(seen.exit).toBe(3);
  });

  it('takes wsman.timed-out for "nothing yet"', async () => {
    const { output, seen } = outputOf([new WinRmError('wsman.timed-out', { seconds: 20 }), reply(''), reply('x', 0)]);
    expect(await take(output)).toBe('x');
    expect(seen).toMatchObject({ received: 3, failure: null });
  });

  it.each(['995', '1223'])(
    'takes fault %s for a last word after we closed, and for shell.closed before',
    async (code) => {
      const fault = () => new WinRmError('wsman.fault', { code, subcode: '', text: '', machine: '' });
      let isClosing = false;
      const closing = outputOf([reply('a'), fault()], () => isClosing);
      expect(await take(closing.output, 1)).toBe('a');
      isClosing = true;
      expect(await take(closing.output)).toBe('');
      expect(closing.seen.failure).toBeNull();
      const { output, seen } = outputOf([fault()]);
      await expect(take(output)).rejects.toMatchObject({ code: 'shell.closed' });
      expect(seen.failure).toMatchObject({ code: 'shell.closed' });
    },
  );

  it('gives a Receive that waited when we closed no error either', async () => {
    let isClosing = false;
    let refuse: (error: unknown) => void = () => undefined;
    const output = new Output({
      beginsWithGap: false,
      receive: () =>
        new Promise((_, reject) => {
          refuse = reject;
        }),
      onExit: () => undefined,
      onFailure: (error) => {
        throw error;
      },
      isClosing: () => isClosing,
    });
    const taken = take(output);
    expect(output.isWaiting).toBe(true);
    isClosing = true;
    refuse(new WinRmError('wsman.shell-gone', { code: '2150858843', text: '' }));
    expect(await taken).toBe('');
    expect(output.isWaiting).toBe(false);
  });
});
