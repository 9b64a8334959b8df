import { decodeFrames, encodeFrames, type Frame, MAX_TURN_BYTES } from '@fairlead/contract';
import type { RawData } from 'ws';
import type { MessageSocket } from './message-socket.ts';

/** A tab that does not ask again within this time has lost the link; its requests follow each other at once. */
const MAX_PAUSE_MS = 30_000;

/** What a link made of HTTP requests answers with: frames, or that the request was not the next one. */
export type TurnAnswer = Uint8Array | 'done' | 'refused';

interface Waiting {
  readonly answer: (body: TurnAnswer) => void;
}

/** HTTP requests of one tab that stand for a WebSocket. See `TURN_HEADER` in the contract. */
export class HttpLink implements MessageSocket {
  readonly OPEN = 1;
  readyState = 1;
  isPaused = false;
  bufferedAmount = 0;
  readonly #onGone: () => void;
  readonly #messageListeners: ((content: RawData, isBinary: boolean) => void)[] = [];
  readonly #closeListeners: ((code: number) => void)[] = [];
  #outbox: { readonly frame: Frame; readonly size: number; readonly onSent: (() => void) | undefined }[] = [];
  #waiting: Waiting | null = null;
  #resumers: (() => void)[] = [];
  #downCount = 0;
  #upCount = 0;
  #isTakingUp = false;
  #isFlushing = false;
  #closingCode: number | null = null;
  #patience: ReturnType<typeof setTimeout>;

  /** @param onGone told once, when its name means nothing any more */
  constructor(onGone: () => void) {
    this.#onGone = onGone;
    this.#patience = this.#waitForNext();
  }

  on(event: 'message', listener: (content: RawData, isBinary: boolean) => void): void;
  on(event: 'error', listener: () => void): void;
  on(event: 'close', listener: (code: number) => void): void;
  on(...[event, listener]: OnWords): void {
    if (event === 'message') this.#messageListeners.push(listener);
    else if (event === 'close') this.#closeListeners.push(listener);
  }

  send(message: Uint8Array | string, _options?: { binary: boolean }, onSent?: () => void): void {
    if (this.readyState !== this.OPEN) return;
    const frame: Frame =
      typeof message === 'string' ? { kind: 'text', text: message } : { kind: 'bytes', bytes: message };
    this.#push(frame, message.length, onSent);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    for (const go of this.#resumers.splice(0)) go();
  }

  close(code: number): void {
    if (this.readyState !== this.OPEN) return;
    this.readyState = 2;
    this.#closingCode = code;
    this.#push({ kind: 'close', code }, 0, () => this.#over(code));
  }

  terminate(): void {
    this.#over(1006);
  }

  /** A request that waits for something to say. @param onBroken is given what to call when its connection breaks */
  down(count: number, onBroken: (act: () => void) => void): Promise<TurnAnswer> {
    if (this.readyState === 3 || count !== this.#downCount || this.#waiting !== null) {
      this.terminate();
      return Promise.resolve('refused');
    }
    this.#downCount += 1;
    clearTimeout(this.#patience);
    return new Promise((answer) => {
      this.#waiting = { answer };
      // An answer that nobody receives is lost, and what was in it with it: this link cannot go on.
      onBroken(() => this.terminate());
      this.#flushSoon();
    });
  }

  /** A request that brings frames. */
  async up(count: number, body: Uint8Array): Promise<TurnAnswer> {
    const frames = decodeFrames(body);
    if (this.readyState === 3 || count !== this.#upCount || this.#isTakingUp || frames === null) {
      this.terminate();
      return 'refused';
    }
    this.#upCount += 1;
    this.#isTakingUp = true;
    for (const frame of frames) {
      if (frame.kind === 'close') {
        this.#over(frame.code);
        break;
      }
      const content = frame.kind === 'text' ? Buffer.from(frame.text) : Buffer.from(frame.bytes);
      for (const listener of this.#messageListeners) listener(content, frame.kind === 'bytes');
      while (this.isPaused && this.readyState !== 3) {
        await new Promise<void>((resolve) => {
          this.#resumers.push(resolve);
        });
      }
    }
    this.#isTakingUp = false;
    return 'done';
  }

  #push(frame: Frame, size: number, onSent: (() => void) | undefined): void {
    this.#outbox.push({ frame, size, onSent });
    this.bufferedAmount += size;
    this.#flushSoon();
  }

  /** What is said in one go is one answer. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      const waiting = this.#waiting;
      if (waiting === null || this.#outbox.length === 0) return;
      this.#waiting = null;
      this.#patience = this.#waitForNext();
      let size = 0;
      const beyond = this.#outbox.findIndex((one) => {
        size += one.size;
        return size > MAX_TURN_BYTES;
      });
      const sent = this.#outbox.splice(0, beyond < 0 ? this.#outbox.length : Math.max(1, beyond));
      for (const one of sent) this.bufferedAmount -= one.size;
      waiting.answer(encodeFrames(sent.map(({ frame }) => frame)));
      for (const { onSent } of sent) onSent?.();
    });
  }

  #waitForNext(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.terminate(), MAX_PAUSE_MS).unref();
  }

  #over(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    clearTimeout(this.#patience);
    this.#outbox = [];
    this.bufferedAmount = 0;
    this.resume();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.answer(encodeFrames([{ kind: 'close', code: this.#closingCode ?? code }]));
    this.#onGone();
    for (const listener of this.#closeListeners) listener(code);
  }
}

type OnWords =
  | ['message', (content: RawData, isBinary: boolean) => void]
  | ['error', () => void]
  | ['close', (code: number) => void];
