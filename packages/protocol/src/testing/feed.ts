import { concatBytes } from '../bytes/bytes.ts';
import { isWinRmError } from '../errors.ts';

/** The shape of every decoder of this package: fed, then asked. */
export interface Decoder<Event> {
  feed(bytes: Uint8Array): void;
  feedEnd(): void;
  next(): Event | 'need-bytes';
  takeLeftover(): Uint8Array;
}

/** What a decoder made of its input. */
export interface Decoded<Event> {
  readonly events: readonly Event[];
  /** The code of the error it ended with, or null. */
  readonly error: string | null;
  readonly leftover: Uint8Array;
}

/** More events than any test has; a decoder past this goes round without taking bytes. */
const MAX_EVENTS = 10_000;

/**
 * Feeds the same bytes whole, byte by byte and in uneven pieces, insists that all agree, and returns the outcome.
 * Anything thrown that is not a WinRmError goes through.
 *
 * @param options.isEnded tells the decoder at last that no more bytes come
 */
export function feedEveryWay<Event>(
  make: () => Decoder<Event>,
  bytes: Uint8Array,
  options: { isEnded?: boolean } = {},
): Decoded<Event> {
  const isEnded = options.isEnded ?? false;
  const whole = decodePieces(make(), [bytes], isEnded);
  const others: [string, Uint8Array[]][] = [
    ['byte by byte', split(bytes, () => 1)],
    ['in uneven pieces', split(bytes, (turn) => 1 + ((turn * 7) % 13))],
    ['with empty pieces', split(bytes, (turn) => 3 * (turn % 2))],
  ];
  for (const [how, pieces] of others) {
    const decoded = decodePieces(make(), pieces, isEnded);
    const [got, wanted] = [describe(decoded), describe(whole)];
    if (got !== wanted) throw new Error(`Fed ${how}, the decoder gave\n${got}\nbut fed whole it gave\n${wanted}`);
  }
  return whole;
}

/** Feeds pieces in order, asking after each as a connection does. */
export function decodePieces<Event>(
  decoder: Decoder<Event>,
  pieces: readonly Uint8Array[],
  isEnded = false,
): Decoded<Event> {
  const events: Event[] = [];
  try {
    for (const piece of pieces) {
      decoder.feed(piece);
      drain(decoder, events);
    }
    if (isEnded) {
      decoder.feedEnd();
      drain(decoder, events);
    }
  } catch (error) {
    if (!isWinRmError(error)) throw error;
    return { events, error: error.code, leftover: new Uint8Array(0) };
  }
  return { events, error: null, leftover: decoder.takeLeftover() };
}

function drain<Event>(decoder: Decoder<Event>, events: Event[]): void {
  for (;;) {
    const event = decoder.next();
    if (event === 'need-bytes') return;
    events.push(event);
    if (events.length > MAX_EVENTS) throw new Error('The decoder gives events without end');
  }
}

function split(bytes: Uint8Array, lengthOf: (turn: number) => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const length = lengthOf(turn);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces.length === 0 ? [concatBytes()] : pieces;
}

/** Text that is equal when two outcomes are; private fields are reached through `entries()` where a value has it. */
function describe(decoded: Decoded<unknown>): string {
  return JSON.stringify(decoded, (_key, value: unknown) => {
    if (value instanceof Uint8Array) return `bytes ${Array.from(value).join(' ')}`;
    if (value instanceof Map) return { map: [...value] };
    if (typeof value === 'bigint') return `${value}n`;
    if (Array.isArray(value)) return value;
    if (typeof value === 'object' && value !== null && 'entries' in value && typeof value.entries === 'function') {
      return { entries: [...value.entries.call(value)] };
    }
    return value;
  });
}
