import { fail } from '../errors.ts';
import { canonical, type Instruction, isIn, type RegexProgram, WORD } from './_regex-program.ts';

/** What counts the matcher's work, and what a pattern takes. */
export interface Meter {
  step(count?: number): void;
  hold(bytes: number): void;
}

/** Where groups begin and end, in pairs; -1 for one that took no part. */
export type Slots = Int32Array;

/** Ways back that one match may keep; each is three numbers. */
const MAX_TRAIL = 3 * 200_000;
const CHOICE = 0;
const SLOT = 1;
const REGISTER = 2;

/**
 * Finds the first match at or after a place. Backtracking like every engine of JavaScript's, with two differences: the
 * way back is a list of numbers, not the host's stack, and every step is counted, so that a pattern that explodes ends
 * the script and nothing else.
 *
 * @throws pac.too-long
 */
export function findMatch(
  program: RegexProgram,
  text: string,
  from: number,
  isSticky: boolean,
  meter: Meter,
): Slots | null {
  for (let start = from; start <= text.length; start++) {
    const matcher = new Matcher(program, text, meter);
    if (matcher.run(0, start)) return matcher.slots;
    if (isSticky) return null;
  }
  return null;
}

class Matcher {
  readonly slots: Slots;
  readonly #registers: Int32Array;
  readonly #trail: number[] = [];
  readonly #program: RegexProgram;
  readonly #text: string;
  readonly #meter: Meter;

  constructor(program: RegexProgram, text: string, meter: Meter) {
    this.#program = program;
    this.#text = text;
    this.#meter = meter;
    this.slots = new Int32Array(2 * program.groupCount).fill(-1);
    this.#registers = new Int32Array(program.registerCount).fill(-1);
    meter.step(1 + ((2 * program.groupCount + program.registerCount) >> 4));
  }

  /** Runs from an instruction until `match`. What it changed stays on the trail of whoever called. */
  run(entry: number, start: number): boolean {
    const floor = this.#trail.length;
    let at = start;
    let pc = entry;
    for (;;) {
      this.#meter.step();
      const step = this.#program.code[pc] as Instruction;
      if (step.op === 'match') {
        this.#dropChoices(floor);
        return true;
      }
      if (step.op === 'split') {
        this.#push(CHOICE, step.second, at);
        pc = step.first;
        continue;
      }
      if (step.op === 'jump') {
        pc = step.to;
        continue;
      }
      const next = this.#advance(step, at, pc);
      if (next >= 0) {
        at = next;
        pc = step.op === 'look' ? step.after : pc + 1;
        continue;
      }
      const back = this.#backtrack(floor);
      if (back === null) return false;
      [pc, at] = back;
    }
  }

  /** Where the text goes on behind a step, or -1 when it does not fit. */
  #advance(step: Instruction, at: number, pc: number): number {
    const text = this.#text;
    switch (step.op) {
      case 'unit':
      case 'any':
      case 'set':
        return at < text.length && this.#fits(step, text.charCodeAt(at)) ? at + 1 : -1;
      case 'save':
        this.#setSlot(step.slot, at);
        return at;
      case 'clear':
        // Each of them goes on the way back, and is taken from there at most once.
        this.#meter.step((step.to - step.from) >> 2);
        for (let slot = step.from; slot < step.to; slot++) this.#setSlot(slot, -1);
        return at;
      case 'mark':
        this.#push(REGISTER, step.register, this.#registers[step.register] as number);
        this.#registers[step.register] = at;
        return at;
      case 'advanced':
        return this.#registers[step.register] === at ? -1 : at;
      case 'start':
        return at === 0 || (this.#program.multiline && isLineEnd(text.charCodeAt(at - 1))) ? at : -1;
      case 'end':
        return at === text.length || (this.#program.multiline && isLineEnd(text.charCodeAt(at))) ? at : -1;
      case 'word':
      case 'not-word':
        return (this.#isWord(at - 1) !== this.#isWord(at)) === (step.op === 'word') ? at : -1;
      case 'back':
        return this.#backReference(step.group, at);
      case 'look':
        return this.#look(step.isNegated, pc + 1, at) ? at : -1;
      default:
        return -1;
    }
  }

  #fits(step: Extract<Instruction, { op: 'unit' | 'any' | 'set' }>, unit: number): boolean {
    const { ignoreCase, dotAll } = this.#program;
    if (step.op === 'any') return dotAll || !isLineEnd(unit);
    if (step.op === 'unit') return unit === step.unit || (ignoreCase && canonical(unit) === canonical(step.unit));
    const { ranges, isNegated } = step.set;
    this.#meter.step(ranges.length >> 3);
    const isMember = isIn(unit, ranges) || (ignoreCase && hasOtherCase(unit, ranges));
    return isMember !== isNegated;
  }

  #backReference(group: number, at: number): number {
    const from = this.slots[2 * group] as number;
    const to = this.slots[2 * group + 1] as number;
    if (from < 0 || to < 0) return at;
    this.#meter.step(to - from);
    for (let i = 0; i < to - from; i++) {
      const [a, b] = [this.#text.charCodeAt(from + i), this.#text.charCodeAt(at + i)];
      if (at + i >= this.#text.length) return -1;
      if (a !== b && !(this.#program.ignoreCase && canonical(a) === canonical(b))) return -1;
    }
    return at + to - from;
  }

  /** What a look ahead found stays, unless it should not have been found: then the way back undoes it. */
  #look(isNegated: boolean, entry: number, at: number): boolean {
    return this.run(entry, at) !== isNegated;
  }

  #setSlot(slot: number, value: number): void {
    this.#push(SLOT, slot, this.slots[slot] as number);
    this.slots[slot] = value;
  }

  #push(kind: number, a: number, b: number): void {
    if (this.#trail.length >= MAX_TRAIL) fail('pac.too-long', { limit: 'memory' });
    this.#trail.push(kind, a, b);
  }

  #backtrack(floor: number): readonly [number, number] | null {
    while (this.#trail.length > floor) {
      const choice = this.#undo();
      if (choice !== null) return choice;
    }
    return null;
  }

  /** Takes the last entry back; a choice is handed out, a change is undone. */
  #undo(): readonly [number, number] | null {
    const b = this.#trail.pop() as number;
    const a = this.#trail.pop() as number;
    const kind = this.#trail.pop() as number;
    if (kind === CHOICE) return [a, b];
    if (kind === SLOT) this.slots[a] = b;
    else this.#registers[a] = b;
    return null;
  }

  /** Keeps the changes above a floor and forgets the choices: a look ahead is not entered again. */
  #dropChoices(floor: number): void {
    let kept = floor;
    for (let i = floor; i < this.#trail.length; i += 3) {
      if (this.#trail[i] === CHOICE) continue;
      for (let j = 0; j < 3; j++) this.#trail[kept + j] = this.#trail[i + j] as number;
      kept += 3;
    }
    this.#trail.length = kept;
  }

  #isWord(at: number): boolean {
    return at >= 0 && at < this.#text.length && isIn(this.#text.charCodeAt(at), WORD);
  }
}

function isLineEnd(unit: number): boolean {
  return unit === 10 || unit === 13 || unit === 0x2028 || unit === 0x2029;
}

function hasOtherCase(unit: number, ranges: readonly (readonly [number, number])[]): boolean {
  const text = String.fromCharCode(unit);
  return [text.toLowerCase(), text.toUpperCase()].some((other) => {
    const code = other.charCodeAt(0);
    return other.length === 1 && canonical(code) === canonical(unit) && isIn(code, ranges);
  });
}
