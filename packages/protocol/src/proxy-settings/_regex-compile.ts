import type { Meter } from './_regex-match.ts';
import { DIGITS, type Instruction, type RegexProgram, SPACE, type UnitSet, WORD } from './_regex-program.ts';

/** The pattern breaks the grammar; the text says how. */
export class BadPattern extends Error {}

/** The pattern is right, but more than a PAC script needs. */
export class TooRichPattern extends Error {}

const MAX_CODE = 5000;
const MAX_NESTING = 40;
const MAX_PATTERN_CHARACTERS = 20_000;
/** What an instruction, or a range of a class, takes in memory. */
const INSTRUCTION_BYTES = 96;
type Ranges = readonly (readonly [number, number])[];

/**
 * Compiles a regular expression without the flags u and v. ECMA-262, sections 22.2.1 and B.1.2. What is left out:
 * looking behind.
 *
 * @throws BadPattern, TooRichPattern
 */
export function compileRegex(source: string, flags: string, meter: Meter): RegexProgram {
  if (/[^gimsy]/.test(flags)) throw new TooRichPattern(`a regular expression with the flags ${flags.slice(0, 8)}`);
  if (new Set(flags).size !== flags.length) throw new BadPattern('a flag stands twice');
  if (source.length > MAX_PATTERN_CHARACTERS) throw new TooRichPattern('a regular expression of that length');
  return new Compiler(source, meter).compile(flags);
}

class Compiler {
  readonly #source: string;
  #at = 0;
  #depth = 0;
  readonly #code: Instruction[] = [];
  #groupCount = 1;
  #registerCount = 0;
  readonly #names = new Map<string, number>();
  readonly #totalGroups: number;
  readonly #hasNames: boolean;
  readonly #meter: Meter;

  constructor(source: string, meter: Meter) {
    this.#source = source;
    this.#meter = meter;
    const { total, hasNames } = countGroups(source);
    this.#totalGroups = total;
    this.#hasNames = hasNames;
  }

  compile(flags: string): RegexProgram {
    this.#emit({ op: 'save', slot: 0 });
    this.#disjunction();
    if (this.#at < this.#source.length) throw new BadPattern('a parenthesis closes that was not opened');
    this.#emit({ op: 'save', slot: 1 });
    this.#emit({ op: 'match' });
    return {
      ...{ code: this.#code, groupCount: this.#groupCount, groupNames: this.#names },
      ...{ registerCount: this.#registerCount, ignoreCase: flags.includes('i') },
      ...{ multiline: flags.includes('m'), dotAll: flags.includes('s') },
    };
  }

  #emit<I extends Instruction>(instruction: I): I {
    this.#meter.step();
    this.#meter.hold(INSTRUCTION_BYTES);
    if (this.#code.length >= MAX_CODE) throw new TooRichPattern('a regular expression of that size');
    this.#code.push(instruction);
    return instruction;
  }

  #disjunction(): void {
    this.#depth += 1;
    if (this.#depth > MAX_NESTING) throw new TooRichPattern('a regular expression nested that deeply');
    const ends: Extract<Instruction, { op: 'jump' }>[] = [];
    for (;;) {
      // Whether a further alternative comes is known only behind this one: room is made for the split.
      const split = this.#emit({ op: 'split', first: this.#code.length + 1, second: this.#code.length + 1 });
      while (this.#at < this.#source.length && this.#peek() !== '|' && this.#peek() !== ')') this.#term();
      if (this.#peek() !== '|') break;
      this.#at += 1;
      ends.push(this.#emit({ op: 'jump', to: 0 }));
      split.second = this.#code.length;
    }
    for (const end of ends) end.to = this.#code.length;
    this.#depth -= 1;
  }

  #term(): void {
    const start = this.#at;
    const firstGroup = this.#groupCount;
    const from = this.#code.length;
    const isAssertion = this.#assertion();
    if (!isAssertion) this.#atom();
    const isLook = isAssertion && this.#source.charAt(start) === '(';
    const end = this.#at;
    const times = this.#quantifier();
    if (times === null) return;
    if (isAssertion && !isLook) throw new BadPattern('there is nothing to repeat');
    const groups = { from: firstGroup, to: this.#groupCount };
    this.#code.length = from;
    const after = this.#at;
    this.#repeat(times, groups, () => {
      [this.#at, this.#groupCount] = [start, firstGroup];
      if (!this.#assertion()) this.#atom();
      if (this.#at !== end) throw new BadPattern('it cannot be read twice');
    });
    [this.#at, this.#groupCount] = [after, groups.to];
  }

  /** Emits a body as often as it must come, then as often as it may. ECMA-262, section 22.2.2.3.1 RepeatMatcher */
  #repeat(
    { least, most, isLazy }: { least: number; most: number; isLazy: boolean },
    groups: { from: number; to: number },
    body: () => void,
  ): void {
    const once = (): void => {
      if (groups.to > groups.from) this.#emit({ op: 'clear', from: 2 * groups.from, to: 2 * groups.to });
      body();
    };
    if (least > MAX_CODE || (most !== Number.POSITIVE_INFINITY && most > MAX_CODE)) {
      throw new TooRichPattern('a regular expression with that many repetitions');
    }
    for (let i = 0; i < least; i++) once();
    const splits: (() => void)[] = [];
    const optional = (): number => {
      const at = this.#code.length;
      const split = this.#emit({ op: 'split', first: at + 1, second: at + 1 });
      splits.push(() => {
        if (isLazy) split.first = this.#code.length;
        else split.second = this.#code.length;
      });
      const register = this.#registerCount++;
      this.#emit({ op: 'mark', register });
      once();
      // A turn that took nothing would go on for ever.
      this.#emit({ op: 'advanced', register });
      return at;
    };
    if (most === Number.POSITIVE_INFINITY) {
      const to = optional();
      this.#emit({ op: 'jump', to });
    } else for (let i = least; i < most; i++) optional();
    for (const close of splits) close();
  }

  #quantifier(): { least: number; most: number; isLazy: boolean } | null {
    const shape = /(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})/y;
    shape.lastIndex = this.#at;
    const found = shape.exec(this.#source);
    if (found === null) return null;
    this.#at += found[0].length;
    const sign = found[0].charAt(0);
    const low = sign === '{' ? Number(found[1]) : sign === '+' ? 1 : 0;
    const openEnd = found[3] === undefined || found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    const high = sign === '?' ? 1 : sign !== '{' ? Number.POSITIVE_INFINITY : found[2] === undefined ? low : openEnd;
    if (high < low) throw new BadPattern('a repetition ends before it begins');
    const isLazy = this.#peek() === '?';
    if (isLazy) this.#at += 1;
    return { least: low, most: high, isLazy };
  }

  #assertion(): boolean {
    const rest = this.#source.slice(this.#at, this.#at + 4);
    const simple = rest.startsWith('\\b') ? 'word' : rest.startsWith('\\B') ? 'not-word' : null;
    if (rest.startsWith('^') || rest.startsWith('$')) {
      this.#at += 1;
      this.#emit({ op: rest.startsWith('^') ? 'start' : 'end' });
    } else if (simple !== null) {
      this.#at += 2;
      this.#emit({ op: simple });
    } else if (rest.startsWith('(?=') || rest.startsWith('(?!')) {
      this.#at += 3;
      const look = this.#emit({ op: 'look', isNegated: rest.startsWith('(?!'), after: 0 });
      this.#disjunction();
      this.#close();
      this.#emit({ op: 'match' });
      look.after = this.#code.length;
    } else if (rest.startsWith('(?<=') || rest.startsWith('(?<!')) {
      throw new TooRichPattern('a regular expression that looks behind');
    } else return false;
    return true;
  }

  #atom(): void {
    const sign = this.#peek();
    if (sign === '(') this.#group();
    else if (sign === '.') {
      this.#at += 1;
      this.#emit({ op: 'any' });
    } else if (sign === '[') this.#emit({ op: 'set', set: this.#unitClass() });
    else if (sign === '\\') this.#escape();
    else if (/[*+?]/.test(sign) || /^\{\d+(?:,\d*)?\}/.test(this.#source.slice(this.#at, this.#at + 24))) {
      throw new BadPattern('there is nothing to repeat');
    } else {
      this.#at += 1;
      this.#emit({ op: 'unit', unit: sign.charCodeAt(0) });
    }
  }

  #group(): void {
    const open = /\((?:\?:|\?<([A-Za-z_$][\w$]*)>)?/y;
    open.lastIndex = this.#at;
    const found = open.exec(this.#source) as RegExpExecArray;
    this.#at += found[0].length;
    if (found[0] === '(' && this.#peek() === '?') throw new BadPattern('a group of an unknown kind');
    const number = found[0] === '(?:' ? null : this.#groupCount++;
    if (found[1] !== undefined && number !== null) this.#names.set(found[1], number);
    if (number !== null) this.#emit({ op: 'save', slot: 2 * number });
    this.#disjunction();
    this.#close();
    if (number !== null) this.#emit({ op: 'save', slot: 2 * number + 1 });
  }

  #close(): void {
    if (this.#peek() !== ')') throw new BadPattern('a parenthesis is not closed');
    this.#at += 1;
  }

  #escape(): void {
    const named = /\\k<([A-Za-z_$][\w$]*)>/y;
    named.lastIndex = this.#at;
    const name = this.#hasNames ? named.exec(this.#source) : null;
    if (name !== null) {
      const number = this.#names.get(name[1] as string);
      if (number === undefined) throw new TooRichPattern('a reference to a later group');
      this.#at += name[0].length;
      this.#emit({ op: 'back', group: number });
      return;
    }
    const reference = /\\([1-9]\d{0,3})/y;
    reference.lastIndex = this.#at;
    const number = reference.exec(this.#source);
    if (number !== null && Number(number[1]) <= this.#totalGroups) {
      this.#at += number[0].length;
      this.#emit({ op: 'back', group: Number(number[1]) });
      return;
    }
    const read = this.#classEscape();
    if (typeof read === 'number') this.#emit({ op: 'unit', unit: read });
    else this.#emit({ op: 'set', set: { ranges: read, isNegated: false } });
  }

  #unitClass(): UnitSet {
    this.#at += 1;
    const isNegated = this.#peek() === '^';
    if (isNegated) this.#at += 1;
    const ranges: (readonly [number, number])[] = [];
    while (this.#peek() !== ']') {
      const low = this.#classAtom();
      const isRange = this.#peek() === '-' && this.#source.charAt(this.#at + 1) !== ']';
      if (!isRange) {
        ranges.push(...(typeof low === 'number' ? ([[low, low]] as const) : low));
        continue;
      }
      this.#at += 1;
      const high = this.#classAtom();
      if (typeof low === 'number' && typeof high === 'number') {
        if (high < low) throw new BadPattern('a range of characters ends before it begins');
        ranges.push([low, high]);
      } else
        for (const part of [low, 45, high])
          ranges.push(...(typeof part === 'number' ? ([[part, part]] as const) : part));
      if (ranges.length > MAX_CODE) throw new TooRichPattern('a regular expression of that size');
    }
    this.#at += 1;
    return { ranges, isNegated };
  }

  #classAtom(): number | Ranges {
    // A repeated class is read, and kept, once for each repetition.
    this.#meter.step();
    this.#meter.hold(INSTRUCTION_BYTES);
    if (this.#at >= this.#source.length) throw new BadPattern('a class of characters is not closed');
    if (this.#peek() !== '\\') return this.#source.charCodeAt(this.#at++);
    if (this.#source.charAt(this.#at + 1) === 'b') {
      this.#at += 2;
      return 8;
    }
    return this.#classEscape();
  }

  /** What stands behind a backslash, in a class or outside. */
  #classEscape(): number | Ranges {
    const shape = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|c([A-Za-z])|([0-3]?[0-7]{1,2})|([\s\S]))/y;
    shape.lastIndex = this.#at;
    const found = shape.exec(this.#source);
    if (found === null) throw new BadPattern('a backslash stands at the end');
    this.#at += found[0].length;
    const [, hex, unicode, control, octal, letter] = found;
    if (hex !== undefined) return Number.parseInt(hex, 16);
    if (unicode !== undefined) return Number.parseInt(unicode, 16);
    if (control !== undefined) return control.charCodeAt(0) % 32;
    if (octal !== undefined) return Number.parseInt(octal, 8);
    if (letter === 'c') {
      this.#at -= 1;
      return 92;
    }
    return SETS.get(letter as string) ?? CONTROLS.get(letter as string) ?? (letter as string).charCodeAt(0);
  }

  #peek(): string {
    return this.#source.charAt(this.#at);
  }
}

/** How many groups there are, which decides what \1 means before the group is come to. */
function countGroups(source: string): { total: number; hasNames: boolean } {
  let [total, hasNames, isInClass] = [0, false, false];
  for (let at = 0; at < source.length; at++) {
    const sign = source.charAt(at);
    if (sign === '\\') at += 1;
    else if (sign === ']') isInClass = false;
    else if (sign === '[') isInClass = true;
    else if (sign === '(' && !isInClass) {
      const isNamed = /^\(\?<[^=!]/.test(source.slice(at, at + 4));
      hasNames ||= isNamed;
      if (isNamed || source.charAt(at + 1) !== '?') total += 1;
    }
  }
  return { total, hasNames };
}

function complement(ranges: Ranges): Ranges {
  const out: (readonly [number, number])[] = [];
  let next = 0;
  for (const [low, high] of ranges) {
    if (low > next) out.push([next, low - 1]);
    next = high + 1;
  }
  out.push([next, 0xffff]);
  return out;
}

const SETS = new Map<string, Ranges>([
  ['d', DIGITS],
  ['D', complement(DIGITS)],
  ['w', WORD],
  ['W', complement(WORD)],
  ['s', SPACE],
  ['S', complement(SPACE)],
]);
const CONTROLS = new Map([
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
]);
