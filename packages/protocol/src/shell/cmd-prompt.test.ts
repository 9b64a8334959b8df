import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { fixedPlatform } from '../testing/fixed-platform.ts';
import { CmdPromptReader, cmdPrompt, makePromptWord, type PromptEvent } from './cmd-prompt.ts';

const WORD = '0123456789abcdef';

/** What cmd.exe writes for the PROMPT of a word in a directory. */
const announced = (directory: string, word = WORD): string =>
  cmdPrompt(word).replaceAll('$E', '\u001b').replaceAll('$P', directory).replaceAll('$G', '>');

const prompt = (directory: string): PromptEvent => ({ kind: 'prompt', directory, prompt: `${directory}>` });
const text = (words: string): PromptEvent => ({ kind: 'text', text: words });

/** Whole, and character by character with neighbouring texts joined: the events must be the same. */
function readEveryWay(output: string, lines: readonly string[] = []): PromptEvent[] {
  const whole = new CmdPromptReader(WORD);
  const slow = new CmdPromptReader(WORD);
  for (const line of lines) {
    whole.expectEcho(line);
    slow.expectEcho(line);
  }
  const events = [...whole.feed(output), ...whole.flush()];
  const pieces = [...[...output].flatMap((character) => slow.feed(character)), ...slow.flush()];
  expect(joinTexts(pieces)).toEqual(joinTexts(events));
  return events;
}

function joinTexts(events: readonly PromptEvent[]): PromptEvent[] {
  const out: PromptEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (event.kind === 'text' && last?.kind === 'text') out[out.length - 1] = text(last.text + event.text);
    else out.push(event);
  }
  return out;
}

describe('CmdPromptReader', () => {
  it('finds prompts and takes the announcement away', () => {
    const output = `Microsoft Windows\r\n\r\n${announced('C:\\')}`;
    expect(readEveryWay(output)).toEqual([text('Microsoft Windows\r\n\r\n'), prompt('C:\\')]);
  });

  it('swallows the echo of lines we already show, typed ahead or not', () => {
    const output = `${announced('C:\\')}cd Users\r\n\r\n${announced('C:\\Users')}echo hi\r\nhi\r\n\r\n${announced('C:\\Users')}`;
    expect(readEveryWay(output, ['cd Users', 'echo hi'])).toEqual([
      prompt('C:\\'),
      text('\r\n'),
      prompt('C:\\Users'),
      text('hi\r\n\r\n'),
      prompt('C:\\Users'),
    ]);
  });

  it('swallows the echo of an empty line', () => {
    const output = `${announced('C:\\')}\r\n${announced('C:\\')}`;
    expect(readEveryWay(output, [''])).toEqual([prompt('C:\\'), prompt('C:\\')]);
  });

  it('shows everything where the host does not echo', () => {
    const output = `${announced('C:\\')}hi\n${announced('C:\\')}second\n${announced('C:\\')}`;
    expect(readEveryWay(output, ['echo hi', 'echo second'])).toEqual([
      prompt('C:\\'),
      text('hi\n'),
      prompt('C:\\'),
      text('second\n'),
      prompt('C:\\'),
    ]);
  });

  it('finds the echo of a line after one that a program read itself', () => {
    const output = `${announced('C:\\')}set /p x=\r\n${announced('C:\\')}dir\r\nlisting`;
    expect(readEveryWay(output, ['set /p x=', 'an answer', 'dir'])).toEqual([
      prompt('C:\\'),
      prompt('C:\\'),
      text('listing'),
    ]);
  });

  it('shows what was not expected: output of another program that looks like a prompt', () => {
    expect(readEveryWay(`${announced('C:\\')}dir\r\n`)).toEqual([prompt('C:\\'), text('dir\r\n')]);
    expect(readEveryWay('\u001b]0;title\u0007x\u001b[31mred')).toEqual([text('\u001b]0;title\u0007x\u001b[31mred')]);
    expect(readEveryWay('\u001b]5985;0123456789abcdef;a\nb\u001b\\')).toEqual([
      text('\u001b]5985;0123456789abcdef;a\nb\u001b\\'),
    ]);
    expect(readEveryWay('\u001b]5985;0123456789abcdef;C:\\\u001b\\other> ')).toEqual([
      { kind: 'prompt', directory: 'C:\\', prompt: '' },
      text('other> '),
    ]);
  });

  it('takes no announcement that does not know the word for a prompt', () => {
    for (const word of ['', 'C:\\', '0123456789abcdee', '0123456789ABCDEF', `${WORD}0`, ' 0123456789abcdef']) {
      const forged = `${announced('C:\\', word)}Password: `;
      expect(readEveryWay(forged)).toEqual([text(forged)]);
    }
    const old = '\u001b]5985;C:\\\u001b\\C:\\>';
    expect(readEveryWay(`${old}${announced('C:\\')}`)).toEqual([text(old), prompt('C:\\')]);
  });

  it('takes a word of 64 random bits', () => {
    const platform = fixedPlatform({ random: Uint8Array.from({ length: 16 }, (_, index) => 0xf8 + (index % 8)) });
    expect(makePromptWord(platform)).toBe('f8f9fafbfcfdfeff');
  });

  it('lets go of an announcement that never ends', () => {
    const reader = new CmdPromptReader(WORD);
    expect(reader.feed(`\u001b]5985;${WORD};abc`)).toEqual([]);
    expect(reader.flush()).toEqual([text(`\u001b]5985;${WORD};abc`)]);
    const long = `\u001b]5985;${WORD};${'x'.repeat(5000)}`;
    expect(new CmdPromptReader(WORD).feed(long)).toEqual([text(long)]);
  });

  it('looks at output a bounded number of times, however often an announcement begins in it', () => {
    const begun = `\u001b]5985;${WORD};`.repeat(50_000);
    let looked = 0;
    const { indexOf, search } = String.prototype;
    const spies = [
      vi.spyOn(String.prototype, 'indexOf').mockImplementation(function (this: string, wanted, from) {
        const found = indexOf.call(this, wanted, from);
        looked += found < 0 ? this.length : found;
        return found;
      }),
      vi.spyOn(String.prototype, 'search').mockImplementation(function (this: string, pattern) {
        looked += this.length;
        return search.call(this, pattern);
      }),
    ];
    const events = new CmdPromptReader(WORD).feed(begun);
    for (const spy of spies) spy.mockRestore();
    expect(joinTexts(events)[0]).toEqual(text(begun.slice(0, -24)));
    expect(looked).toBeLessThanOrEqual(50_000 * 4096);
  });

  it('takes an announcement of the longest directory, and none beyond', () => {
    const longest = `C:\\${'x'.repeat(4091)}`;
    expect(readEveryWay(announced(longest))).toEqual([prompt(longest)]);
    const tooLong = announced(`${longest}y`);
    expect(readEveryWay(tooLong)).toEqual([text(tooLong)]);
  });

  it('loses no character of text without prompts, for any output and any lines', () => {
    const piece = fc.constantFrom('\u001b', ']', '5985', ';', '\\', '>', 'C:', '\r\n', '\n', 'dir', announced('C:\\'));
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.constantFrom('', 'dir', '\u001b]')), (pieces, lines) => {
        readEveryWay(pieces.join(''), lines);
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.string(), (output) => {
        expect(joinTexts(readEveryWay(output))).toEqual(output === '' ? [] : [text(output)]);
      }),
    );
  });
});
