import { describe, expect, it } from 'vitest';
import { utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { WinRmError } from '../errors.ts';
import { settled } from '../testing/index.ts';
import { Input, MAX_PENDING_INPUT_BYTES } from './_input.ts';

/** An input whose Sends a test answers one by one. */
function heldInput(maxSendBytes = 100) {
  const sent: [string, boolean][] = [];
  const open: { resolve(): void; reject(error: unknown): void }[] = [];
  const bulk = { count: 0, maxSendBytes };
  const input = new Input({
    send(bytes, isEnd) {
      sent.push([utf8Decode(bytes), isEnd]);
      return new Promise((resolve, reject) => open.push({ resolve, reject }));
    },
    maxSendBytes: () => bulk.maxSendBytes,
    async beforeBulk() {
      bulk.count++;
      bulk.maxSendBytes *= 2;
    },
  });
  return { input, sent, bulk, next: () => open.shift() };
}

describe('Input', () => {
  it('keeps one Send in flight and joins what is typed meanwhile', async () => {
    const { input, sent, next } = heldInput();
    const writes = ['a', 'b', 'c'].map((text) => input.write(utf8Encode(text)));
    await settled();
    expect(sent).toEqual([['a', false]]);
    next()?.resolve();
    await writes[0];
    await settled();
    expect(sent).toEqual([
      ['a', false],
      ['bc', false],
    ]);
    next()?.resolve();
    await Promise.all(writes);
  });

  it('splits what one Send does not take, and asks once whether more may be taken', async () => {
    const { input, sent, next, bulk } = heldInput(2);
    const write = input.write(utf8Encode('abcdefghi'));
    const end = input.end();
    for (let i = 0; i < 6; i++) {
      await settled();
      next()?.resolve();
    }
    await Promise.all([write, end]);
    expect(sent).toEqual([
      ['abcd', false],
      ['efgh', false],
      ['i', false],
      ['', true],
    ]);
    expect(bulk.count).toBe(1);
  });

  it('puts End on the last piece', async () => {
    const { input, sent, next } = heldInput(4);
    const first = input.write(utf8Encode('x'));
    const rest = Promise.all([input.write(utf8Encode('abcdefgh')), input.end()]);
    for (let i = 0; i < 4; i++) {
      await settled();
      next()?.resolve();
    }
    await Promise.all([first, rest]);
    expect(sent.at(-1)).toEqual(['abcdefgh', true]);
    await expect(input.write(utf8Encode('y'))).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    await expect(input.end()).rejects.toMatchObject({ code: 'misuse.wrong-state' });
  });

  it('drops what waited behind a Send that failed, and takes what comes after', async () => {
    const { input, sent, next } = heldInput();
    const first = input.write(utf8Encode('a'));
    const behind = input.write(utf8Encode('b'));
    await settled();
    next()?.reject(new WinRmError('shell.fate-unknown', { operation: 'Send' }));
    await expect(first).rejects.toMatchObject({ code: 'shell.fate-unknown' });
    await expect(behind).rejects.toMatchObject({ code: 'shell.fate-unknown' });
    const later = input.write(utf8Encode('c'));
    await settled();
    next()?.resolve();
    await later;
    expect(sent.map(([text]) => text)).toEqual(['a', 'c']);
  });

  it('copies what it is given, because the writer may reuse its buffer', async () => {
    const { input, sent, next } = heldInput();
    const buffer = utf8Encode('a');
    const first = input.write(buffer);
    buffer.fill(0);
    const second = input.write(utf8Encode('b'));
    await settled();
    next()?.resolve();
    await settled();
    next()?.resolve();
    await Promise.all([first, second]);
    expect(sent[0]).toEqual(['a', false]);
  });

  it('is bounded: misuse.bad-argument when far too much waits', async () => {
    const { input } = heldInput();
    void input.write(utf8Encode('a')).catch(() => undefined);
    void input.write(new Uint8Array(MAX_PENDING_INPUT_BYTES - 10)).catch(() => undefined);
    await expect(input.write(new Uint8Array(11))).rejects.toMatchObject({
      code: 'misuse.bad-argument',
      details: { reason: 'too-long', limit: MAX_PENDING_INPUT_BYTES },
    });
  });

  it('ends with the shell: shell.closed', async () => {
    const { input, next } = heldInput();
    const first = input.write(utf8Encode('a'));
    const behind = input.write(utf8Encode('b'));
    await settled();
    input.close(new WinRmError('shell.closed', { reason: 'ended' }));
    await expect(behind).rejects.toMatchObject({ code: 'shell.closed' });
    await expect(input.write(utf8Encode('c'))).rejects.toMatchObject({ code: 'shell.closed' });
    next()?.resolve();
    await first;
  });

  it('sends nothing for nothing', async () => {
    const { input, sent } = heldInput();
    await input.write(new Uint8Array());
    expect(sent).toEqual([]);
  });
});
