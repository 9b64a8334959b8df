import { exportPins, importPins, NO_PINS, type PinStore } from '@fairlead/protocol';
import { KeptText } from '../../lib/kept-text.ts';

/** Key in localStorage. */
export const PINS_KEY = 'fairlead.pins';

/**
 * The certificates a person trusts, as this browser keeps them. They are public facts.
 *
 * INVARIANT: a store that cannot be read is `null`, never an empty one: to forget every pin in silence is what an attacker
 * would wish for.
 */
export type PinBook = PinStore | null;

const text = new KeptText(PINS_KEY);
let read: { readonly text: string | null; readonly book: PinBook } = { text: null, book: NO_PINS };

/** What is pinned now; null when it cannot be read. The same object until something changes. */
export function readPins(): PinBook {
  const now = text.read();
  if (now !== read.text) read = { text: now, book: parse(now) };
  return read.book;
}

/**
 * Changes what is pinned. Nothing happens while the store cannot be read: it has to be given up first.
 * @throws misuse.bad-argument when the store is full
 */
export function changePins(change: (store: PinStore) => PinStore): void {
  const book = readPins();
  if (book !== null) text.write(exportPins(change(book)));
}

/** Gives up a store, readable or not. */
export function forgetPins(): void {
  text.write(null);
}

/** Calls back after each change until the returned function is called. */
export function watchPins(listener: () => void): () => void {
  return text.watch(listener);
}

function parse(stored: string | null): PinBook {
  if (stored === null) return NO_PINS;
  try {
    return importPins(stored);
  } catch {
    return null;
  }
}
