/** What must be true of every page of every test: it keeps to its policy, its origin and its promises, and says so. */
import { Buffer } from 'node:buffer';
import type { BrowserContext, Page, Request } from 'playwright/test';
import { type SharedWorkers, watchSharedWorkers } from './shared-workers.ts';

/** Watches all pages of a browser context from their first instruction on. */
export interface Watch {
  /** What was wrong, one sentence each; empty is what one wants. */
  readonly complaints: readonly string[];
  /**
   * Chromium notes every HTTP status from 400 on as an error on the console. A test that provokes one says which; nothing
   * else is ever forgiven.
   */
  expectStatus(status: number, path: string): void;
  /** Another address of the product's own that a test's pages may go to. */
  admit(origin: string): void;
  /** Everything that crossed between the tabs and the relay: frames of WebSockets, bodies and addresses of requests. */
  captured(): Promise<Buffer>;
  /** Bytes in WebSocket frames, both ways. */
  readonly frameBytes: number;
  /** The workers that outlive their pages. */
  readonly sharedWorkers: SharedWorkers;
}

/** Begins to watch. Before the first page is opened. */
export async function watchContext(context: BrowserContext, origin: string): Promise<Watch> {
  const complaints: string[] = [];
  const expected: { readonly status: number; readonly path: string }[] = [];
  const kept: Buffer[] = [];
  const bodies: Promise<void>[] = [];
  let frameBytes = 0;
  const keep = (bytes: Buffer | string | null): void => {
    if (bytes !== null) kept.push(Buffer.from(bytes));
  };
  const hosts = new Set([new URL(origin).host]);
  const isOurs = (url: string): boolean =>
    ['data:', 'blob:', 'about:'].some((scheme) => url.startsWith(scheme)) || hosts.has(new URL(url).host);

  const seen = {
    onSocket: (url: string) => {
      if (!isOurs(url)) complaints.push(`a WebSocket to ${url}`);
    },
    onFrame: (bytes: Buffer) => {
      keep(bytes);
      frameBytes += bytes.length;
    },
  };
  const complainOfConsole = (text: string, url: string): void => {
    const status = Number(/the server responded with a status of (\d+)/.exec(text)?.[1]);
    const isExpected = expected.some((one) => one.status === status && new URL(url).pathname === one.path);
    if (!isExpected) complaints.push(`console: ${text} (${url})`);
  };
  const sharedWorkers = await watchSharedWorkers(context, TRAPS, {
    ...seen,
    onRequest(url, body) {
      if (!isOurs(url)) complaints.push(`a request to ${url}`);
      keep(url);
      keep(body);
    },
    onAnswer: keep,
    onError: complainOfConsole,
    onUncaught: (words) => void complaints.push(`uncaught: ${words}`),
  });
  await context.exposeBinding('reportToTest', (_source, words: string) => void complaints.push(words));
  await context.addInitScript(setTraps);
  context.on('page', (page: Page) => {
    page.on('pageerror', (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`));
    page.on('websocket', (socket) => {
      if (!isOurs(socket.url())) complaints.push(`a WebSocket to ${socket.url()}`);
      const onFrame = ({ payload }: { payload: string | Buffer }): void => {
        keep(payload);
        frameBytes += payload.length;
      };
      socket.on('framesent', onFrame);
      socket.on('framereceived', onFrame);
    });
    // A page that is closed at once has no worker to be watched.
    watchWorkers(context, page, seen).catch(() => undefined);
  });
  context.on('console', (message) => {
    if (message.type() !== 'error') return;
    complainOfConsole(message.text(), message.location().url);
  });
  context.on('request', (request: Request) => {
    if (!isOurs(request.url())) complaints.push(`a request to ${request.url()}`);
    keep(request.url());
    keep(request.postDataBuffer());
    if (!request.url().startsWith('http')) return;
    bodies.push(keepAnswer(request, complaints, keep));
  });
  return {
    complaints,
    admit: (other) => void hosts.add(new URL(other).host),
    expectStatus: (status, path) => void expected.push({ status, path }),
    async captured() {
      await Promise.race([Promise.all(bodies), late()]);
      return Buffer.concat(kept);
    },
    get frameBytes() {
      return frameBytes;
    },
    sharedWorkers,
  };
}

/** Keeps what was answered to a request. */
async function keepAnswer(
  request: Request,
  complaints: string[],
  keep: (bytes: Buffer | string | null) => void,
): Promise<void> {
  // A page that has gone, or a request that was given up, has no body any more.
  const response = await request.response().catch(() => null);
  if (response === null) return;
  const type = response.headers()['content-type'] ?? '';
  if (type.includes('wasm') || request.url().endsWith('.wasm')) complaints.push(`WebAssembly: ${request.url()}`);
  keep(JSON.stringify(response.headers()));
  keep(await response.body().catch(() => null));
}

/** The script of a shared worker is asked for on behalf of a page, and that it came is told to nobody. */
function late(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 3000);
  });
}

/** Sockets of a page's workers, which the page's own events leave out. */
async function watchWorkers(
  context: BrowserContext,
  page: Page,
  seen: { onSocket(url: string): void; onFrame(bytes: Buffer): void },
): Promise<void> {
  const devtools = await context.newCDPSession(page);
  let lastId = 0;
  devtools.on('Target.attachedToTarget', ({ sessionId }) => {
    const expression = TRAPS;
    // Held back until it is watched, so that no frame is missed.
    for (const [method, params] of [
      ['Network.enable', {}],
      ['Runtime.evaluate', { expression }],
      ['Runtime.runIfWaitingForDebugger', {}],
    ] as const) {
      lastId += 1;
      const message = JSON.stringify({ id: lastId, method, params });
      devtools.send('Target.sendMessageToTarget', { sessionId, message }).catch(() => undefined);
    }
  });
  devtools.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { method, params } = JSON.parse(message) as WorkerEvent;
    if (method === 'Network.webSocketCreated') seen.onSocket(params.url);
    if (method !== 'Network.webSocketFrameSent' && method !== 'Network.webSocketFrameReceived') return;
    const { opcode, payloadData } = params.response;
    seen.onFrame(Buffer.from(payloadData, opcode === 1 ? 'utf8' : 'base64'));
  });
  await devtools.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: false });
}

/** What a worker's network tells: Chrome DevTools Protocol, domain Network. */
type WorkerEvent =
  | { readonly method: 'Network.webSocketCreated'; readonly params: { readonly url: string } }
  | {
      readonly method: 'Network.webSocketFrameSent' | 'Network.webSocketFrameReceived';
      readonly params: { readonly response: { readonly opcode: number; readonly payloadData: string } };
    }
  | { readonly method: ''; readonly params: Record<never, never> };

/** For a worker, which has no binding to the test. */
const TRAPS = `globalThis.reportToTest = (words) => console.error(words); (${setTraps.toString()})()`;

declare global {
  function reportToTest(words: string): void;
}

/** Runs in a page, and in each of its workers, before anything else does. */
function setTraps(): void {
  addEventListener('securitypolicyviolation', (event) => {
    reportToTest(`CSP: ${event.effectiveDirective} refused ${event.blockedURI} ${event.sample} at ${event.sourceFile}`);
  });
  const names = ['compile', 'compileStreaming', 'instantiate', 'instantiateStreaming', 'validate', 'Module', 'Memory'];
  for (const name of [...names, 'Instance', 'Table']) {
    const original: unknown = Reflect.get(WebAssembly, name);
    if (typeof original !== 'function') continue;
    const report = (): void => reportToTest(`WebAssembly.${name} was used`);
    const trap = new Proxy(original, {
      apply(target, self, words) {
        report();
        return Reflect.apply(target, self, words);
      },
      construct(target, words) {
        report();
        return Reflect.construct(target, words);
      },
    });
    Reflect.set(WebAssembly, name, trap);
  }
}
