/**
 * The shared workers of a browser context, which Playwright does not show: found over the browser's own protocol, and
 * watched by traps inside them. The protocol's domain Network is left alone there: Chromium 156 crashes as a whole, about
 * once in six times, when a shared worker that is watched by it ends soon after its start.
 */
import { Buffer } from 'node:buffer';
import type { BrowserContext, CDPSession } from 'playwright/test';

/** What is told of every shared worker. */
export interface SharedWorkerEvents {
  onSocket(url: string): void;
  onFrame(bytes: Buffer): void;
  /** By `fetch`, and whatever else the worker loads. One request may be told twice, once without its body. */
  onRequest(url: string, body: Buffer | null): void;
  onAnswer(body: Buffer): void;
  /** An error on the console. */
  onError(text: string, url: string): void;
  onUncaught(words: string): void;
}

/** One of them. */
export interface SharedWorkerView {
  readonly url: string;
  readonly name: string;
  /** Runs an expression in it. */
  evaluate(expression: string): Promise<void>;
}

/** Those of one context. */
export interface SharedWorkers {
  /** Oldest first, those that have ended among them. */
  readonly all: readonly SharedWorkerView[];
  /** How many are alive. */
  count(): Promise<number>;
}

/** Watches from now on. */
export async function watchSharedWorkers(
  context: BrowserContext,
  traps: string,
  seen: SharedWorkerEvents,
): Promise<SharedWorkers> {
  const browser = context.browser();
  if (browser === null) throw new Error('the context has no browser');
  const devtools = await browser.newBrowserCDPSession();
  const own = contextId(context);
  const all: Live[] = [];
  devtools.on('Target.targetCreated', ({ targetInfo }) => {
    const { type, targetId, browserContextId, url, title } = targetInfo;
    if (type !== 'shared_worker') return;
    const attach = async (): Promise<void> => {
      if (browserContextId !== (await own)) return;
      const { sessionId } = await devtools.send('Target.attachToTarget', { targetId, flatten: false });
      const live = new Live(devtools, sessionId, { targetId, url, name: title }, seen);
      all.push(live);
      await live.watch(traps);
    };
    attach().catch(ignore);
  });
  devtools.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
    all.find((live) => live.sessionId === sessionId)?.hear(JSON.parse(message) as Message);
  });
  await devtools.send('Target.setDiscoverTargets', {
    discover: true,
    filter: [{ type: 'shared_worker' }, { exclude: true }],
  });
  context.on('close', () => void devtools.detach().catch(ignore));
  return {
    all,
    async count() {
      // The end of a worker that is attached to is told by no event.
      const { targetInfos } = await devtools.send('Target.getTargets', { filter: [{ type: 'shared_worker' }] });
      return all.filter((live) => targetInfos.some(({ targetId }) => targetId === live.targetId)).length;
    },
  };
}

/** What the browser calls this context: any of its pages knows. */
function contextId(context: BrowserContext): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    context.once('page', (page) => {
      context
        .newCDPSession(page)
        .then((devtools) => devtools.send('Target.getTargetInfo'))
        .then(({ targetInfo }) => resolve(targetInfo.browserContextId), reject);
    });
  });
}

function wordsOf({ value, description = '' }: { readonly value?: unknown; readonly description?: string }): string {
  return typeof value === 'string' ? value : description;
}

/** A worker that is gone has nothing to say. */
const ignore = (): void => undefined;

/** Chrome DevTools Protocol, as far as it is looked at here. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    /** What a binding was called with. */
    readonly payload?: string;
    readonly type?: string;
    readonly args?: readonly { readonly value?: unknown; readonly description?: string }[];
    readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
  };
}

class Live implements SharedWorkerView {
  readonly sessionId: string;
  readonly targetId: string;
  readonly url: string;
  readonly name: string;
  readonly #devtools: CDPSession;
  readonly #seen: SharedWorkerEvents;
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;

  constructor(
    devtools: CDPSession,
    sessionId: string,
    { targetId, url, name }: { targetId: string; url: string; name: string },
    seen: SharedWorkerEvents,
  ) {
    this.#devtools = devtools;
    this.sessionId = sessionId;
    this.targetId = targetId;
    this.url = url;
    this.name = name;
    this.#seen = seen;
  }

  async watch(traps: string): Promise<void> {
    this.#send('Runtime.enable').catch(ignore);
    this.#send('Runtime.addBinding', { name: 'tellOfWire' }).catch(ignore);
    await this.evaluate(`${traps};(${setWireTraps.toString()})()`);
  }

  async evaluate(expression: string): Promise<void> {
    await this.#send('Runtime.evaluate', { expression, awaitPromise: true });
  }

  hear({ id, method, params = {} }: Message): void {
    if (id !== undefined) {
      this.#waiting.get(id)?.();
      this.#waiting.delete(id);
      return;
    }
    const { payload, exceptionDetails: fault } = params;
    if (method === 'Runtime.bindingCalled' && payload !== undefined) this.#hearOfWire(JSON.parse(payload) as WireEvent);
    else if (method === 'Runtime.consoleAPICalled' && params.type === 'error') {
      this.#seen.onError((params.args ?? []).map(wordsOf).join(' '), this.url);
    } else if (fault !== undefined) this.#seen.onUncaught(fault.exception?.description ?? fault.text);
  }

  #hearOfWire({ what, url, bytes }: WireEvent): void {
    const body = bytes === null ? null : Buffer.from(bytes, 'base64');
    if (what === 'socket') this.#seen.onSocket(url);
    else if (what === 'request') this.#seen.onRequest(url, body);
    else if (body !== null && what === 'frame') this.#seen.onFrame(body);
    else if (body !== null) this.#seen.onAnswer(body);
  }

  #send(method: string, params: object = {}): Promise<void> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      const message = JSON.stringify({ id, method, params });
      this.#devtools.send('Target.sendMessageToTarget', { sessionId: this.sessionId, message }).catch(reject);
    });
  }
}

/** What the traps below tell. */
interface WireEvent {
  readonly what: 'socket' | 'frame' | 'request' | 'answer';
  readonly url: string;
  /** In base64. */
  readonly bytes: string | null;
}

declare global {
  /** Chromium has it since 140, and shared workers that outlive a page since later. */
  interface Uint8Array {
    toBase64(): string;
  }
  function tellOfWire(event: string): void;
}

/**
 * Runs in a worker, before it opens anything. What the worker sees of its sockets and answers stays as it was. A socket
 * that was there before is noticed as soon as something is sent on it.
 */
function setWireTraps(): void {
  const tellTest = globalThis.tellOfWire;
  Reflect.deleteProperty(globalThis, 'tellOfWire');
  const tell = (what: WireEvent['what'], url: string, content: unknown = null): void => {
    let bytes: Uint8Array | null = null;
    if (typeof content === 'string') bytes = new TextEncoder().encode(content);
    else if (content instanceof ArrayBuffer) bytes = new Uint8Array(content);
    else if (ArrayBuffer.isView(content))
      bytes = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    else if (content !== null && content !== undefined) console.error(`a ${what} whose content nobody can watch`);
    tellTest(JSON.stringify({ what, url, bytes: bytes === null ? null : bytes.toBase64() }));
  };

  const known = new WeakSet<WebSocket>();
  const watchSocket = (socket: WebSocket): void => {
    if (known.has(socket)) return;
    known.add(socket);
    tell('socket', socket.url);
    socket.addEventListener('message', ({ data }) => tell('frame', '', data));
  };
  const { prototype } = WebSocket;
  prototype.send = new Proxy(Reflect.get(prototype, 'send'), {
    apply(target, self: WebSocket, words) {
      watchSocket(self);
      const isOpen = self.readyState === WebSocket.OPEN;
      Reflect.apply(target, self, words);
      if (isOpen) tell('frame', '', words[0]);
    },
  });
  prototype.constructor = new Proxy(WebSocket, {
    construct(target, words, made) {
      const socket: WebSocket = Reflect.construct(target, words, made);
      watchSocket(socket);
      return socket;
    },
  });
  Reflect.set(globalThis, 'WebSocket', prototype.constructor);

  const trappedFetch = new Proxy(fetch, {
    apply(target, self, words: Parameters<typeof fetch>) {
      const [asked, options] = words;
      const isRequest = asked instanceof Request;
      const body: unknown = options?.body ?? (isRequest ? asked.body : null);
      tell('request', isRequest ? asked.url : new URL(asked, location.href).href, body);
      const answer: Promise<Response> = Reflect.apply(target, self, words);
      const keep = async (): Promise<void> => tell('answer', '', await (await answer).clone().arrayBuffer());
      // A request that was refused or given up has no answer, and that is its sender's affair.
      keep().catch(() => undefined);
      return answer;
    },
  });
  Reflect.set(globalThis, 'fetch', trappedFetch);
  // What is loaded in another way, scripts above all.
  new PerformanceObserver((list) => {
    for (const { name } of list.getEntries()) tell('request', name);
  }).observe({ type: 'resource', buffered: true });
}
