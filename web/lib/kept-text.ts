/** One text in localStorage that several screens watch, shared by all tabs; a forbidden storage keeps it in memory. */
export class KeptText {
  readonly #key: string;
  readonly #listeners = new Set<() => void>();
  #memory: string | null = null;
  #isMemoryOnly = false;

  constructor(key: string) {
    this.#key = key;
  }

  /** What is kept now, or null. Asked of the storage each time: another tab may have changed it. */
  read(): string | null {
    if (this.#isMemoryOnly) return this.#memory;
    try {
      return globalThis.localStorage?.getItem(this.#key) ?? this.#memory;
    } catch {
      return this.#memory;
    }
  }

  /** Keeps another text, or none with null, and tells everyone who watches. */
  write(text: string | null): void {
    this.#memory = globalThis.localStorage === undefined ? text : null;
    try {
      if (text === null) globalThis.localStorage?.removeItem(this.#key);
      else globalThis.localStorage?.setItem(this.#key, text);
      this.#isMemoryOnly = false;
    } catch {
      this.#memory = text;
      this.#isMemoryOnly = true;
    }
    for (const listener of this.#listeners) listener();
  }

  /** Calls back after each change, in this tab or another, until the returned function is called. */
  watch(listener: () => void): () => void {
    const onStorage = (event: StorageEvent) => {
      if (event.key === this.#key || event.key === null) listener();
    };
    this.#listeners.add(listener);
    globalThis.addEventListener?.('storage', onStorage);
    return () => {
      this.#listeners.delete(listener);
      globalThis.removeEventListener?.('storage', onStorage);
    };
  }
}
