import {
  Agent,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as openRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

/** A web server that passes requests on and knows nothing of `Upgrade`, as old gateways and inspecting proxies are. */
export interface UpgradeStripper {
  /** On 127.0.0.1. */
  readonly port: number;
  /** How many requests asked for another protocol and went on without that. */
  readonly strippedCount: number;
  /** Says which server it stands before; until then everything is answered with 503. */
  leadTo(server: { readonly host: string; readonly port: number }): void;
  /** Stops, and cuts what is under way. Idempotent. */
  close(): Promise<void>;
}

/** More than a browser opens; HTTP streams of a few tabs included. */
const MAX_CONNECTIONS = 128;
/** Longer than any turn of the relay's HTTP stream. */
const SILENCE_MS = 90_000;

/** Starts a stripper on a free port of loopback. @throws the error of `listen` */
export async function startUpgradeStripper({ port = 0 }: { readonly port?: number } = {}): Promise<UpgradeStripper> {
  let server: { readonly host: string; readonly port: number } | null = null;
  let strippedCount = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  // Without a listener for 'upgrade', Node answers such a request as any other.
  const own: Server = createServer({ maxHeaderSize: 32 * 1024 }, (request, response) => {
    if (request.headers.upgrade !== undefined) strippedCount += 1;
    if (request.headersDistinct['host']?.length !== 1) refuse(response, 400);
    else if (server === null) refuse(response, 503);
    else passOn(request, response, { ...server, agent });
  });
  own.maxConnections = MAX_CONNECTIONS;
  own.on('connect', (_request, socket) => socket.destroy());
  own.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    own.once('error', reject);
    own.listen(port, '127.0.0.1', resolve);
  });
  let closing: Promise<void> | null = null;
  return {
    port: (own.address() as AddressInfo).port,
    get strippedCount() {
      return strippedCount;
    },
    leadTo(place) {
      server = place;
    },
    close() {
      closing ??= new Promise((resolve) => {
        own.close(() => resolve());
        own.closeAllConnections();
        agent.destroy();
      });
      return closing;
    },
  };
}

/** `Host` and `Origin` go on as they came: who may ask is for the server behind to judge. */
function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  to: { readonly host: string; readonly port: number; readonly agent: Agent },
): void {
  const onward = openRequest({
    ...{ ...to, method: request.method, path: request.url, headers: stripped(request) },
    setHost: false,
    timeout: SILENCE_MS,
  });
  onward.on('timeout', () => onward.destroy());
  onward.on('error', () => {
    if (response.headersSent) response.destroy();
    else refuse(response, 502);
  });
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, stripped(answer));
    pipeline(answer, response, () => undefined);
  });
  response.on('close', () => onward.destroy());
  pipeline(request, onward, () => undefined);
}

/** RFC 9110, section 7.6.1: these are for one connection only, `Upgrade` among them. */
const OF_ONE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

function stripped({ headersDistinct }: IncomingMessage): OutgoingHttpHeaders {
  const kept = Object.entries(headersDistinct).filter(([name]) => !OF_ONE_CONNECTION.has(name));
  const headers = Object.fromEntries(
    kept.map(([name, values = []]) => [name, values.length === 1 ? values[0] : values]),
  );
  return { ...headers, via: '1.1 fairlead-demo-gateway' };
}

function refuse(response: ServerResponse, status: 400 | 502 | 503): void {
  const text = status === 400 ? 'One Host, please.\n' : 'Nothing answers behind this gateway of the demo.\n';
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }).end(text);
}
