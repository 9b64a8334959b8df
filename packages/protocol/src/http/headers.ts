import { fail } from '../errors.ts';

/** RFC 9110, section 5.6.2: the characters of a token, as in a method or a field name. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Not allowed in a value: the three that end lines or strings, and what one byte per character cannot carry. */
const UNSAFE_IN_VALUE = /[\r\n\0]|[^\0-\xff]/;

/** A field name as written, and its value without surrounding blanks. */
export type HeaderEntry = readonly [name: string, value: string];

/**
 * HTTP fields in order, names compared without regard to case. RFC 9110, section 5.
 *
 * INVARIANT: no name or value can break out of its line, so a head made of these is the head that was meant.
 */
export class Headers {
  readonly #entries: HeaderEntry[] = [];

  /** @throws misuse.bad-argument (bad-header) for an entry that is not a field */
  constructor(entries: Iterable<HeaderEntry> = []) {
    for (const [name, value] of entries) this.append(name, value);
  }

  /**
   * Adds a line after those there are.
   * @throws misuse.bad-argument (bad-header) for CR, LF, NUL, characters above U+00FF, or a name that is no token
   */
  append(name: string, value: string): void {
    if (!TOKEN.test(name) || UNSAFE_IN_VALUE.test(value)) {
      fail('misuse.bad-argument', { argument: 'header', reason: 'bad-header' });
    }
    this.#entries.push([name, trimBlanks(value)]);
  }

  /**
   * Puts one line in place of all lines of that name.
   * @throws misuse.bad-argument (bad-header) as append does
   */
  set(name: string, value: string): void {
    const wanted = name.toLowerCase();
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (this.#entries[i]?.[0].toLowerCase() === wanted) this.#entries.splice(i, 1);
    }
    this.append(name, value);
  }

  /** All lines of that name joined by ", ", or null when there is none. RFC 9110, section 5.3. */
  get(name: string): string | null {
    const values = this.getAll(name);
    return values.length === 0 ? null : values.join(', ');
  }

  /** The value of each line of that name, in order. */
  getAll(name: string): readonly string[] {
    const wanted = name.toLowerCase();
    return this.#entries.filter((entry) => entry[0].toLowerCase() === wanted).map((entry) => entry[1]);
  }

  /** Whether there is a line of that name. */
  has(name: string): boolean {
    const wanted = name.toLowerCase();
    return this.#entries.some((entry) => entry[0].toLowerCase() === wanted);
  }

  /** Whether the comma-separated list under that name holds a word, without regard to case. */
  hasWord(name: string, word: string): boolean {
    const wanted = word.toLowerCase();
    return this.getAll(name).some((value) =>
      value.split(',').some((element) => trimBlanks(element).toLowerCase() === wanted),
    );
  }

  /** Every line, in order, as written. */
  entries(): readonly HeaderEntry[] {
    return this.#entries;
  }
}

/** Without the blanks and tabs HTTP allows around a value; no other white space is touched. RFC 9110, section 5.6.3. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(unit: number): boolean {
  return unit === 32 || unit === 9;
}
