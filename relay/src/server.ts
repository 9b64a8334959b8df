import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { API_PATHS, HTTP_PIPE_PATH, MAX_MESSAGE_BYTES, PIPE_PATH } from '@fairlead/contract';
import { type WebSocket, WebSocketServer } from 'ws';
import { hashToken } from './access.ts';
import type { Api } from './api.ts';
import type { HttpPipeDoor } from './http-pipe.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { OriginCheck } from './origin.ts';
import type { StaticSite } from './static-site.ts';
import { securityHeaders, sendText } from './web-headers.ts';

/** What the doors lead to. */
export interface DoorOptions {
  readonly origins: OriginCheck;
  readonly api: Api;
  readonly httpPipe: HttpPipeDoor;
  readonly site: StaticSite | null;
  readonly metrics: Metrics;
  readonly metricsToken: string | null;
  readonly log: Log;
  readonly isDraining: () => boolean;
  readonly onPipe: (socket: WebSocket, request: IncomingMessage) => void;
}

const HOST_REFUSED =
  'This relay does not answer to that name. Open it by its own address, or set FAIRLEAD_PUBLIC_ORIGIN to this one.\n';

/** Names of routes for metrics and log; paths themselves are never written down. */
const API_ROUTES = new Map(Object.entries(API_PATHS).map(([name, path]) => [path as string, `api.${name}`]));

/** Makes the one HTTP server: page, API, metrics, health and WebSockets. It is not listening yet. */
export function createDoors(options: DoorOptions): Server {
  const headers = Object.entries(securityHeaders(options.origins.isHttps));
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: 15_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 5_000, // Node looks for late heads only this often, by default every 30 s
  });
  server.keepAliveTimeout = 65_000; // longer than the usual reverse proxy's, which must be the one to close first
  server.maxRequestsPerSocket = 0;
  server.on('request', (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    const target = request.url ?? '';
    const route = routeOf(target);
    response.on('finish', () => {
      options.metrics.requests.inc({ route, status: response.statusCode });
      options.log.debug('http.answered', { what: route, status: response.statusCode });
    });
    answer(options, request, response, target, route).catch((error: unknown) => {
      options.log.error('relay.fault', { what: route, code: error instanceof Error ? error.name : typeof error });
      if (response.headersSent) response.destroy();
      else sendText(response, 500, 'The relay had a fault\n');
    });
  });
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    clientTracking: false,
  });
  server.on('upgrade', (request, socket, head) => {
    const refused = refuseUpgrade(options, request);
    if (refused === null) sockets.handleUpgrade(request, socket, head, (opened) => options.onPipe(opened, request));
    else {
      options.log.warn('http.refused', { what: 'websocket', status: refused });
      sendRaw(socket, refused, headers);
    }
  });
  server.on('connect', (_request, socket) => sendRaw(socket, 405, headers));
  server.on('clientError', (_error, socket) => {
    if (socket.writable) sendRaw(socket, 400, headers);
    else socket.destroy();
  });
  return server;
}

function routeOf(target: string): string {
  const path = pathOf(target);
  if (path === '/healthz') return 'healthz';
  if (path === '/metrics') return 'metrics';
  if (path === HTTP_PIPE_PATH) return 'api.pipe';
  if (path.startsWith('/api/')) return API_ROUTES.get(path) ?? 'api.unknown';
  return 'static';
}

async function answer(
  o: DoorOptions,
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  route: string,
): Promise<void> {
  if (!target.startsWith('/')) {
    sendText(response, 400, 'Bad request target\n');
    return;
  }
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!route.startsWith('api.') && !isRead) {
    response.setHeader('Allow', 'GET, HEAD');
    sendText(response, 405, 'Method not allowed\n');
    return;
  }
  if (route === 'healthz') {
    const isReady = !o.isDraining();
    sendText(response, isReady ? 200 : 503, `{"status":"${isReady ? 'ready' : 'draining'}"}\n`, 'application/json');
  } else if (route === 'metrics') await answerMetrics(o, request, response);
  else if (o.origins.originOf(request) === null) {
    o.log.warn('http.refused', { what: 'host' });
    sendText(response, 421, HOST_REFUSED);
  } else if (route === 'api.pipe') await o.httpPipe.answer(request, response);
  else if (route.startsWith('api.')) await o.api.answer(request, response, pathOf(target));
  else if (o.site === null) sendText(response, 404, 'There is no web app here\n');
  else o.site.answer(request, response, target);
}

/** Open to the machine itself, or to whoever has the token when one is set. */
async function answerMetrics(o: DoorOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isAllowed =
    o.metricsToken === null ? o.origins.isLocal(request) : hasBearer(request.headers.authorization, o.metricsToken);
  if (!isAllowed) {
    if (o.metricsToken !== null) response.setHeader('WWW-Authenticate', 'Bearer');
    sendText(response, o.metricsToken === null ? 403 : 401, 'Not for you\n');
    return;
  }
  const body = Buffer.from(await o.metrics.registry.metrics());
  response.writeHead(200, {
    'Content-Type': o.metrics.registry.contentType,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Hashes have one length, so the comparison tells nothing about the token's. */
function hasBearer(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(Buffer.from(hashToken(given)), Buffer.from(hashToken(token)));
}

/** The status that refuses an upgrade, or null. Whether somebody is signed in is told inside, where a page can hear. */
function refuseUpgrade(o: DoorOptions, request: IncomingMessage): number | null {
  if (request.url !== PIPE_PATH) return 404;
  if (o.origins.originOf(request) === null) return 421;
  if (!o.origins.isOwnPage(request)) return 403;
  return o.isDraining() ? 503 : null;
}

function sendRaw(socket: Duplex, status: number, headers: readonly (readonly [string, string])[]): void {
  // Node has taken its own listener off these sockets; a reset without one would end the process.
  socket.on('error', () => socket.destroy());
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n${lines}\r\n`);
  // Half-open sockets are not waited for.
  socket.on('finish', () => socket.destroy());
}

function pathOf(target: string): string {
  const at = target.indexOf('?');
  return at < 0 ? target : target.slice(0, at);
}
