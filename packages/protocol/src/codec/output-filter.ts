/**
 * Output is untrusted. What a remote program writes may colour text and move the cursor on the page it writes to; it may
 * not set titles or the clipboard, draw links, ask the terminal questions (the answers would be typed at the far end),
 * switch modes or erase what was there before. ECMA-48 (fifth edition) section 8.3.
 */

/** Longest control sequence that is waited for; a longer one is dropped, and what follows is text again. */
export const MAX_SEQUENCE_CHARS = 256;

/** Longest string (OSC, DCS, APC, PM, SOS) that is swallowed; a longer one was never a string. */
export const MAX_STRING_CHARS = 4_096;

type Mode = 'text' | 'escape' | 'sequence' | 'string' | 'string-escape';

/**
 * A filter for one stream of text, in any pieces.
 * INVARIANT: what it lets through holds no C0 control but BS, TAB, LF, CR and no escape sequence but those in `SAFE`.
 */
export class OutputFilter {
  #mode: Mode = 'text';
  #held = '';
  #dropped = 0;

  /** How many sequences and controls were taken out so far. */
  get droppedCount(): number {
    return this.#dropped;
  }

  /** The part of the text that may reach the terminal. A form feed (what `cls` writes to a pipe) becomes `CLEAR`. */
  feed(text: string): string {
    // Most output is plain: one look, no copying.
    if (this.#mode === 'text' && !SPECIAL.test(text)) return text;
    let out = '';
    for (const char of text) out += this.#take(char);
    return out;
  }

  #take(char: string): string {
    switch (this.#mode) {
      case 'text':
        return this.#takeText(char);
      case 'escape':
        return this.#takeEscape(char);
      case 'sequence':
        return this.#takeSequence(char);
      case 'string':
      case 'string-escape':
        return this.#takeString(char);
    }
  }

  #takeText(char: string): string {
    const code = char.charCodeAt(0);
    if (code === 0x1b) return this.#enter('escape');
    if (code === 0x9b) return this.#enter('sequence');
    if (code === 0x90 || code === 0x98 || (code >= 0x9d && code <= 0x9f)) return this.#enter('string');
    if (code === 0x0c) return CLEAR;
    const isAllowed = code === 0x08 || code === 0x09 || code === 0x0a || code === 0x0d;
    if (isAllowed || (code >= 0x20 && (code < 0x7f || code > 0x9f))) return char;
    return this.#drop();
  }

  #takeEscape(char: string): string {
    if (char === '[') return this.#enter('sequence');
    if (char === ']' || char === 'P' || char === '_' || char === '^' || char === 'X') return this.#enter('string');
    // Intermediates (SP to /) select character sets and the like: wait for the final byte, then drop the whole.
    if (char >= ' ' && char <= '/') return '';
    return this.#drop(char < ' ' ? char : '');
  }

  #takeSequence(char: string): string {
    const code = char.charCodeAt(0);
    if (code >= 0x40 && code <= 0x7e) {
      const body = this.#held;
      this.#mode = 'text';
      if (isSafe(body, char)) return `\x1b[${body}${char}`;
      return this.#drop();
    }
    if (code < 0x20 || code > 0x7e || this.#held.length >= MAX_SEQUENCE_CHARS) return this.#drop(char);
    this.#held += char;
    return '';
  }

  #takeString(char: string): string {
    this.#held += '.';
    const isOver = char === '\x07' || char === '\x9c' || (this.#mode === 'string-escape' && char === '\\');
    if (isOver || this.#held.length > MAX_STRING_CHARS) return this.#drop();
    this.#mode = char === '\x1b' ? 'string-escape' : 'string';
    return '';
  }

  #enter(mode: Mode): string {
    this.#mode = mode;
    this.#held = '';
    return '';
  }

  /** Back to text; `again` is a character that ended the sequence without belonging to it. */
  #drop(again = ''): string {
    this.#mode = 'text';
    this.#held = '';
    this.#dropped += 1;
    return again === '' ? '' : this.#takeText(again);
  }
}

/** Clears the page without losing it: the terminal moves what it shows into the scrollback first. */
export const CLEAR = '\x1b[2J\x1b[H';

/** Text without any escape sequence, for blocks, copies and screen readers. Takes what `OutputFilter` lets through. */
export function plainText(filtered: string): string {
  return filtered.replace(/\x1b\[[0-9;:]*[A-Za-z@`]/g, '').replace(/\r\n/g, '\n');
}

const SPECIAL = /[\0-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]/;

/**
 * Final bytes that colour (m), move (A to H, d, f, G, `) or erase on the page (J, K, X). Not those that shift text in it
 * (P, @, L, M): no program writes them to a pipe, and each costs the terminal a walk over all it keeps.
 */
const SAFE = new Set([...'mABCDEFGHdfKX`']);

/** No page has a thousand rows and no colour a thousand shades; a terminal told to move 2,147,483,647 rows may try. */
const PARAMETERS = /^[0-9]{0,3}(?:[;:][0-9]{0,3}){0,31}$/;

function isSafe(body: string, final: string): boolean {
  if (!PARAMETERS.test(body)) return false;
  // Erase in Display 3 wipes the scrollback: what was there before is not the program's to erase.
  if (final === 'J') return /^[012]?$/.test(body);
  return SAFE.has(final);
}
