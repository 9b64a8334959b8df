import { API_PATHS, PIPE_PATH } from '@fairlead/contract';
import { HttpSocket } from './_http-socket.ts';
import { unref } from './_relay-stream.ts';

/** What a tab reaches its relay with. */
export interface Transport {
  /** Scheme, host and port of the relay, as `location.origin`. */
  readonly origin: string;
  readonly WebSocket?: typeof WebSocket | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** What a socket tells. All calls stop after `onClose`, which comes once; `wasOpen` false means it never came about. */
export interface SocketEvents {
  onOpen(): void;
  onMessage(content: string | Uint8Array): void;
  onClose(code: number, wasOpen: boolean): void;
}

/** Messages to and from the relay, whatever carries them. */
export interface TabSocket {
  readonly via: 'websocket' | 'http';
  send(content: string | Uint8Array<ArrayBuffer>): void;
  /** Nothing is told any more from here on. */
  close(code: number): void;
}

/** Longest wait for a WebSocket; a proxy that swallows the Upgrade says nothing at all. */
const WEBSOCKET_WAIT_MS = 8000;

/** Once a WebSocket could not be had where HTTP could, this is how long nobody tries again. */
const HTTP_MEMORY_MS = 300_000;

/**
 * Opens sockets to one relay: a WebSocket, or, where none comes about although the relay answers, HTTP requests. Which of
 * them it was is remembered for a while.
 */
export class SocketMaker {
  readonly #transport: Transport;
  #httpUntil = -Infinity;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Where WebSockets are opened. */
  get url(): string {
    return `${this.#transport.origin.replace(/^http/, 'ws').replace(/\/$/, '')}${PIPE_PATH}`;
  }

  /** Begins to open one. */
  open(events: SocketEvents): TabSocket {
    const made = new ChosenSocket(this.#transport, events, () => {
      this.#httpUntil = performance.now() + HTTP_MEMORY_MS;
    });
    if (performance.now() < this.#httpUntil) made.openHttp();
    else made.openWebSocket(this.url);
    return made;
  }
}

/** One socket, first a WebSocket, then perhaps the other kind. */
class ChosenSocket implements TabSocket {
  readonly #transport: Transport;
  readonly #events: SocketEvents;
  readonly #onHttp: () => void;
  #webSocket: WebSocket | null = null;
  #http: HttpSocket | null = null;
  #isOpen = false;
  #isOver = false;

  constructor(transport: Transport, events: SocketEvents, onHttp: () => void) {
    this.#transport = transport;
    this.#events = events;
    this.#onHttp = onHttp;
  }

  get via(): 'websocket' | 'http' {
    return this.#http === null ? 'websocket' : 'http';
  }

  send(content: string | Uint8Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    if (this.#http !== null) this.#http.send(content);
    else if (this.#webSocket?.readyState === OPEN) this.#webSocket.send(content);
  }

  close(code: number): void {
    this.#isOver = true;
    this.#http?.close(code);
    // A page that closes a socket which is not open yet gets a warning of the browser; `open` closes it then.
    if (this.#webSocket !== null && this.#webSocket.readyState !== CONNECTING) this.#webSocket.close(code);
  }

  openWebSocket(url: string): void {
    let socket: WebSocket;
    try {
      socket = new (this.#transport.WebSocket ?? WebSocket)(url);
    } catch {
      queueMicrotask(() => this.#over(1006));
      return;
    }
    this.#webSocket = socket;
    socket.binaryType = 'arraybuffer';
    let isSettled = false;
    const timer = setTimeout(() => instead(), WEBSOCKET_WAIT_MS);
    unref(timer);
    const instead = () => {
      if (isSettled) return;
      isSettled = true;
      this.#webSocket = null;
      clearTimeout(timer);
      if (!this.#isOver) void this.#tryHttp();
    };
    socket.addEventListener('open', () => {
      clearTimeout(timer);
      if (this.#isOver || isSettled) {
        socket.close(1000);
        return;
      }
      isSettled = true;
      this.#isOpen = true;
      this.#events.onOpen();
    });
    socket.addEventListener('message', (event: MessageEvent) => {
      const content: unknown = event.data;
      if (this.#isOver || this.#webSocket !== socket) return;
      if (typeof content === 'string') this.#events.onMessage(content);
      else if (content instanceof ArrayBuffer) this.#events.onMessage(new Uint8Array(content));
    });
    socket.addEventListener('error', () => {
      // A `close` always follows, and says more.
    });
    socket.addEventListener('close', (event: CloseEvent) => {
      if (this.#isOpen) this.#over(event.code);
      else instead();
    });
  }

  openHttp(): void {
    const { origin, fetch: ours } = this.#transport;
    this.#http = new HttpSocket(origin, ours ?? ((...words) => fetch(...words)), {
      onOpen: () => {
        this.#isOpen = true;
        if (!this.#isOver) this.#events.onOpen();
      },
      onMessage: (content) => {
        if (!this.#isOver) this.#events.onMessage(content);
      },
      onClose: (code) => this.#over(code),
    });
  }

  /** The relay may be there all the same: then something on the way lets no WebSocket pass. */
  async #tryHttp(): Promise<void> {
    const { origin, fetch: ours } = this.#transport;
    let answers = false;
    try {
      const url = `${origin.replace(/\/$/, '')}${API_PATHS.status}`;
      const answer = await (ours ?? fetch)(url, { cache: 'no-store', signal: AbortSignal.timeout(WEBSOCKET_WAIT_MS) });
      answers = answer.ok && (answer.headers.get('content-type') ?? '').startsWith('application/json');
      await answer.body?.cancel();
    } catch {
      answers = false;
    }
    if (this.#isOver) return;
    if (!answers) {
      this.#over(1006);
      return;
    }
    this.#onHttp();
    this.openHttp();
  }

  #over(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onClose(code, this.#isOpen);
  }
}

/** States of a WebSocket, without reaching for a global that a test may have replaced. */
const CONNECTING = 0;
const OPEN = 1;
