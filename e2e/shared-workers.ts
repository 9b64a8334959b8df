/** The shared workers of a browser context, which Playwright does not show: found and watched over the browser's own protocol. */
import { Buffer } from 'node:buffer';
import type { BrowserContext, CDPSession } from 'playwright/test';

/** What is told of every shared worker. */
export interface SharedWorkerEvents {
  onSocket(url: string): void;
  onFrame(bytes: Buffer): void;
  onRequest(url: string, body: string | null): void;
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
    void own.then(async (id) => {
      if (browserContextId !== id) return;
      const { sessionId } = await devtools.send('Target.attachToTarget', { targetId, flatten: false });
      const live = new Live(devtools, sessionId, { targetId, url, name: title }, seen);
      all.push(live);
      await live.watch(traps);
    }, ignore);
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
  readonly result?: { readonly body?: string; readonly base64Encoded?: boolean };
  readonly method?: string;
  readonly params?: {
    readonly requestId?: string;
    readonly url?: string;
    readonly request?: { readonly url: string; readonly postData?: string };
    readonly response?: { readonly opcode: number; readonly payloadData: string };
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
  readonly #waiting = new Map<number, (message: Message) => void>();
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
    for (const method of ['Network.enable', 'Runtime.enable']) this.#send(method).catch(ignore);
    await this.evaluate(traps);
  }

  async evaluate(expression: string): Promise<void> {
    await this.#send('Runtime.evaluate', { expression, awaitPromise: true });
  }

  hear({ id, method, params = {}, ...reply }: Message): void {
    if (id !== undefined) {
      this.#waiting.get(id)?.(reply);
      this.#waiting.delete(id);
      return;
    }
    const { request, response, exceptionDetails: fault } = params;
    if (method === 'Network.webSocketCreated') this.#seen.onSocket(params.url ?? '');
    else if (response !== undefined && /^Network\.webSocketFrame(?:Sent|Received)$/.test(method ?? '')) {
      this.#seen.onFrame(Buffer.from(response.payloadData, response.opcode === 1 ? 'utf8' : 'base64'));
    } else if (method === 'Network.requestWillBeSent' && request !== undefined) {
      this.#seen.onRequest(request.url, request.postData ?? null);
    } else if (method === 'Network.loadingFinished') void this.#readAnswer(params.requestId ?? '').catch(ignore);
    else if (method === 'Runtime.consoleAPICalled' && params.type === 'error') {
      this.#seen.onError((params.args ?? []).map(wordsOf).join(' '), this.url);
    } else if (fault !== undefined) this.#seen.onUncaught(fault.exception?.description ?? fault.text);
  }

  async #readAnswer(requestId: string): Promise<void> {
    const { result } = await this.#send('Network.getResponseBody', { requestId });
    if (result?.body === undefined) return;
    this.#seen.onAnswer(Buffer.from(result.body, result.base64Encoded === true ? 'base64' : 'utf8'));
  }

  #send(method: string, params: object = {}): Promise<Message> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      const message = JSON.stringify({ id, method, params });
      this.#devtools.send('Target.sendMessageToTarget', { sessionId: this.sessionId, message }).catch(reject);
    });
  }
}
