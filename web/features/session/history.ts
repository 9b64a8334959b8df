/**
 * Lines a person has sent, per target, kept in the browser's own storage and nowhere else. It can be switched off; lines
 * that look as if they carry a secret, lines that begin with a blank and hidden input are never written to storage.
 */

/** What is needed of a browser's storage. */
export type HistoryStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The browser's storage, or null where it refuses. */
export function browserStorage(): HistoryStorage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** Most lines kept for one target: a few weeks of work, some tens of kilobytes. */
export const MAX_HISTORY_LINES = 500;

/** A longer line is a paste of a script, not something to walk back to. */
export const MAX_HISTORY_CHARS = 4_000;

const SWITCH_KEY = 'fairlead.history';
const LINES_KEY = 'fairlead.history.';
const SECRET = /passw|secret|token|api[-_]?key|credential|asplaintext|\/p:|-p\s*\S+@|net\s+user\s+\S+\s+\S+/i;

/** The history of one target. */
export class LineHistory {
  readonly #storage: HistoryStorage | null;
  readonly #key: string;
  #lines: readonly string[];

  /** @param storage null where the browser refuses storage; the history then lasts as long as the tab */
  constructor(storage: HistoryStorage | null, target: string) {
    this.#storage = storage;
    this.#key = LINES_KEY + target.toLowerCase();
    this.#lines = isHistoryOn(storage) ? readLines(storage, this.#key) : [];
  }

  /** Oldest first. A new array after each change. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Adds a line that was sent. The same line twice in a row counts once. */
  add(line: string): void {
    if (line.trim() === '' || line.length > MAX_HISTORY_CHARS || line === this.#lines.at(-1)) return;
    this.#lines = [...this.#lines, line].slice(-MAX_HISTORY_LINES);
    if (!isHistoryOn(this.#storage)) return;
    attempt(() => this.#storage?.setItem(this.#key, JSON.stringify(this.#lines.filter(isStorable))));
  }

  /** Forgets every line, here and in storage. */
  clear(): void {
    this.#lines = [];
    attempt(() => this.#storage?.removeItem(this.#key));
  }
}

/** Whether lines may be written to storage. */
export function isHistoryOn(storage: HistoryStorage | null): boolean {
  return attempt(() => storage?.getItem(SWITCH_KEY)) !== 'off';
}

/** Switches writing on or off. Switching off forgets nothing by itself: `clear` does. */
export function setHistoryOn(storage: HistoryStorage | null, isOn: boolean): void {
  attempt(() => (isOn ? storage?.removeItem(SWITCH_KEY) : storage?.setItem(SWITCH_KEY, 'off')));
}

/** Whether a line may be written to storage: not when it begins with a blank or looks as if it carries a secret. */
export function isStorable(line: string): boolean {
  return !/^\s/.test(line) && !SECRET.test(line);
}

function readLines(storage: HistoryStorage | null, key: string): readonly string[] {
  const text = attempt(() => storage?.getItem(key));
  if (typeof text !== 'string') return [];
  const value: unknown = attempt(() => JSON.parse(text));
  if (!Array.isArray(value)) return [];
  return value
    .filter((line): line is string => typeof line === 'string' && line.length <= MAX_HISTORY_CHARS)
    .slice(-MAX_HISTORY_LINES);
}

/** Storage may be full, forbidden or broken: then the history is only as long as the tab. */
function attempt<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch {
    return null;
  }
}
