import {
  CLOSE_CODES,
  decodeFrames,
  encodeFrames,
  type Frame,
  HTTP_PIPE_PATH,
  LINK_HEADER,
  MAX_TURN_BYTES,
  TURN_HEADER,
} from '@fairlead/contract';

/** A relay beats every 20 s, so no wait for its answer is longer than this. */
const TURN_TIMEOUT_MS = 60_000;

/** What an HTTP socket tells. */
interface HttpSocketEvents {
  onOpen(): void;
  onMessage(content: string | Uint8Array): void;
  onClose(code: number): void;
}

/**
 * The byte socket over HTTP requests: one that sends, one that waits. INVARIANT: a request that fails in any way ends it,
 * and nothing is ever sent a second time here; that is for whoever resumes the pipe.
 */
export class HttpSocket {
  readonly #url: string;
  readonly #fetch: typeof fetch;
  readonly #events: HttpSocketEvents;
  readonly #stop = new AbortController();
  #link = '';
  #outbox: Frame[] = [];
  #isSending = false;
  #upCount = 0;
  #isOver = false;
  #isClosing = false;

  constructor(origin: string, fetchIt: typeof fetch, events: HttpSocketEvents) {
    this.#url = `${origin.replace(/\/$/, '')}${HTTP_PIPE_PATH}`;
    this.#fetch = fetchIt;
    this.#events = events;
    this.#run().catch(() => this.#over(1006));
  }

  /** Sends a message after those before it. */
  send(content: string | Uint8Array): void {
    if (this.#isOver || this.#isClosing) return;
    this.#outbox.push(
      typeof content === 'string' ? { kind: 'text', text: content } : { kind: 'bytes', bytes: content },
    );
    void this.#flush();
  }

  /** Tells the relay, if it can be told, and is over. */
  close(code: number): void {
    if (this.#isOver || this.#isClosing) return;
    this.#isClosing = true;
    this.#outbox.push({ kind: 'close', code });
    if (this.#link === '') this.#end();
    else void this.#flush();
  }

  async #run(): Promise<void> {
    const opened = await this.#turn('open', null);
    if (opened.status === 401) {
      this.#over(CLOSE_CODES.signInRequired);
      return;
    }
    if (opened.status !== 200) throw new Error(`open answered ${opened.status}`);
    this.#link = await opened.text();
    this.#events.onOpen();
    for (let count = 0; !this.#isOver; count++) {
      const answer = await this.#turn(`down ${count}`, null);
      const frames = answer.status === 200 ? decodeFrames(new Uint8Array(await answer.arrayBuffer())) : null;
      if (frames === null) throw new Error(`down answered ${answer.status}`);
      for (const frame of frames) this.#take(frame);
    }
  }

  #take(frame: Frame): void {
    if (this.#isOver || this.#isClosing) return;
    if (frame.kind === 'close') this.#over(frame.code);
    else this.#events.onMessage(frame.kind === 'text' ? frame.text : frame.bytes);
  }

  async #flush(): Promise<void> {
    if (this.#isSending || this.#link === '') return;
    this.#isSending = true;
    await Promise.resolve(); // what is sent in one go goes in one request
    try {
      while (this.#outbox.length > 0 && !this.#isOver) {
        const body = encodeFrames(this.#nextFrames());
        const answer = await this.#turn(`up ${this.#upCount++}`, body);
        if (answer.status !== 204) throw new Error(`up answered ${answer.status}`);
      }
    } catch {
      this.#over(1006);
    } finally {
      this.#isSending = false;
      if (this.#isClosing) this.#end();
    }
  }

  #nextFrames(): Frame[] {
    let length = 0;
    const count = this.#outbox.findIndex((frame) => {
      length += frame.kind === 'bytes' ? frame.bytes.length : 1024;
      return length > MAX_TURN_BYTES / 2;
    });
    return this.#outbox.splice(0, count < 0 ? this.#outbox.length : Math.max(1, count));
  }

  #turn(turn: string, body: Uint8Array<ArrayBuffer> | null): Promise<Response> {
    return this.#fetch(this.#url, {
      method: 'POST',
      cache: 'no-store',
      credentials: 'same-origin',
      headers: {
        'Content-Type': 'application/octet-stream',
        [TURN_HEADER]: turn,
        ...(this.#link === '' ? {} : { [LINK_HEADER]: this.#link }),
      },
      body,
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TURN_TIMEOUT_MS)]),
    });
  }

  #over(code: number): void {
    if (this.#isOver) return;
    const isTold = !this.#isClosing;
    this.#end();
    if (isTold) this.#events.onClose(code);
  }

  #end(): void {
    this.#isOver = true;
    this.#outbox = [];
    this.#stop.abort();
  }
}
