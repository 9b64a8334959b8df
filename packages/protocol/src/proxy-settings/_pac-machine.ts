import { fail } from '../errors.ts';
import type { Pattern } from './_pac-values.ts';

/** Deepest nesting of calls and expressions; a browser's stack bears several times as much. */
const MAX_DEPTH = 600;
/** Most elements of one array. */
export const MAX_ITEMS = 200_000;
/** Longest chain of prototypes; each lookup may walk it. */
export const MAX_CHAIN = 50;
const MAX_ALERTS = 20;
const MAX_ALERT_CHARACTERS = 200;
const MAX_ASKED = 50;
/** What may be the name of a host, or an address. */
const HOST = /^[\w.:-]{1,253}$/;

/** A script's words without what moves a cursor or turns the direction of writing: a terminal is where they may end. */
export function plainWords(text: string, most: number): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ').slice(0, most);
}

/** What a script is given to work with. */
export interface MachineOptions {
  readonly nowMs: number;
  readonly myIpAddress: string | null;
  readonly resolve: (name: string) => string | null;
  readonly maxSteps: number;
  readonly maxBytes: number;
}

/** One run of one script: its limits, and what it leaves behind besides the answer. */
export class Machine {
  readonly options: MachineOptions;
  readonly alerts: string[] = [];
  readonly #asked = new Set<string>();
  readonly #patterns = new Map<string, Pattern>();
  #steps = 0;
  #bytes = 0;
  #random: number;
  depth = 0;

  constructor(options: MachineOptions) {
    this.options = options;
    this.#random = options.nowMs | 0;
  }

  /** Counts work. @throws pac.too-long */
  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > this.options.maxSteps) fail('pac.too-long', { limit: 'steps' });
  }

  /**
   * Counts memory that is taken; none is ever given back, since nobody knows what the script still holds.
   *
   * @throws pac.too-long
   */
  hold(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.options.maxBytes) fail('pac.too-long', { limit: 'memory' });
  }

  /** A text that was made: two bytes a character. */
  text(text: string): string {
    this.#charge(text.length);
    return text;
  }

  /** Puts texts together, which is charged before they are: the same long text may stand there many times. */
  join(parts: readonly string[], between = ''): string {
    let length = between.length * Math.max(0, parts.length - 1);
    for (const part of parts) length += part.length;
    this.#charge(length);
    return parts.join(between);
  }

  #charge(length: number): void {
    this.step(1 + (length >> 5));
    this.hold(2 * length + 16);
  }

  /** Counts a search for one text in another, which in the worst case compares every place with every other. */
  search(text: string, what: string): void {
    this.step(Math.ceil((text.length * what.length) / 64));
  }

  /** Goes one level down; `depth` is set back by whoever catches. @throws pac.too-long */
  enter(): void {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) fail('pac.too-long', { limit: 'depth' });
  }

  /** The address of a name, or null, which is noted where the name could have one: the rest is a script's prose. */
  resolve(name: string): string | null {
    const address = this.options.resolve(name);
    if (address === null && this.#asked.size < MAX_ASKED && HOST.test(name)) this.#asked.add(name);
    return address;
  }

  /** Notes that the script asked for the address of the machine it runs on, which is not the one that connects. */
  myIpAddress(): string {
    const { myIpAddress } = this.options;
    if (myIpAddress === null) this.#asked.add('myIpAddress()');
    // What Chromium and Firefox answer when they know none.
    return myIpAddress ?? '127.0.0.1';
  }

  /** What it wanted to know and was not told. */
  get asked(): readonly string[] {
    return [...this.#asked];
  }

  /** Takes what the script says aloud. */
  alert(text: string): void {
    if (this.alerts.length < MAX_ALERTS) this.alerts.push(plainWords(text.slice(0, 4096), MAX_ALERT_CHARACTERS));
  }

  /** 0 to 1, from the clock alone: the same question at the same moment has the same answer. */
  random(): number {
    // mulberry32
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let word = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A pattern that was read before, or one made now. */
  pattern(key: string, make: () => Pattern): Pattern {
    let pattern = this.#patterns.get(key);
    if (pattern === undefined) {
      pattern = make();
      this.#patterns.set(key, pattern);
    }
    return pattern;
  }
}
