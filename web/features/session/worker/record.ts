import type { Past } from '../survival.ts';

/** Output kept for a page that comes back: some 20,000 lines. */
export const MAX_RECORD_BYTES = 2 * 1024 * 1024;
/** Things kept, however small they are. */
const MAX_RECORD_EVENTS = 20_000;
/** What a thing that is no output counts. */
const EVENT_BYTES = 64;
const LINE_FEED = 0x0a;

/** What a shell wrote and was told, in order, bounded: the oldest goes first. In memory and nowhere else. */
export class SessionRecord {
  readonly #limit: number;
  #events: { readonly past: Past; readonly seq: number }[] = [];
  #bytes = 0;
  #chunkCount = 0;
  #isTrimmed = false;

  constructor(limitBytes = MAX_RECORD_BYTES) {
    this.#limit = limitBytes;
  }

  /** How many pieces of output there have been, kept or not. */
  get chunkCount(): number {
    return this.#chunkCount;
  }

  /** Whether anything had to be let go. */
  get isTrimmed(): boolean {
    return this.#isTrimmed;
  }

  /** Oldest first. */
  get past(): Past[] {
    return this.#events.map(({ past }) => past);
  }

  /** Output, or a gap in it. The bytes are not copied. */
  addOutput(past: Extract<Past, { what: 'chunk' | 'gap' }>): void {
    this.#chunkCount += 1;
    this.#events.push({ past, seq: this.#chunkCount });
    this.#bytes += sizeOf(past);
    this.#trim();
  }

  /**
   * Something that happened on the page.
   * @param after how many pieces of output the page had begun to deal with by then; later ones have come here already
   */
  addNote(past: Exclude<Past, { what: 'chunk' | 'gap' }>, after: number): void {
    let at = this.#events.length;
    while (at > 0 && (this.#events[at - 1]?.seq ?? 0) > after) at -= 1;
    this.#events.splice(at, 0, { past, seq: after });
    this.#bytes += sizeOf(past);
    this.#trim();
  }

  #trim(): void {
    if (this.#bytes <= this.#limit && this.#events.length <= MAX_RECORD_EVENTS) return;
    this.#isTrimmed = true;
    // A good deal at once, so that it happens seldom.
    let count = 0;
    while (
      count < this.#events.length - 1 &&
      (this.#bytes > this.#limit * 0.9 || this.#events.length - count > MAX_RECORD_EVENTS * 0.9)
    ) {
      const event = this.#events[count];
      if (event !== undefined) this.#bytes -= sizeOf(event.past);
      count += 1;
    }
    this.#events.splice(0, count);
    this.#beginAtLine();
  }

  /** What is kept begins with a whole line: no half character, no half announcement of a prompt. */
  #beginAtLine(): void {
    const at = this.#events.findIndex(({ past }) => past.what === 'chunk' && past.stream === 'stdout');
    const first = this.#events[at];
    if (first?.past.what !== 'chunk') return;
    const { past, seq } = first;
    const bytes = past.bytes.slice(past.bytes.indexOf(LINE_FEED) + 1);
    this.#bytes -= past.bytes.length - bytes.length;
    this.#events[at] = { past: { ...past, bytes }, seq };
  }
}

function sizeOf(past: Past): number {
  if (past.what === 'chunk') return past.bytes.length + EVENT_BYTES;
  return EVENT_BYTES + ('text' in past ? 2 * (past.text?.length ?? 0) : 0);
}
