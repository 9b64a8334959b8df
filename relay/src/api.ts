import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  API_PATHS,
  type DemoInfo,
  type ProxyScriptReply,
  proxyScriptRequestSchema,
  type RelayError,
  type Status,
  signInSchema,
  type TicketReply,
  ticketRequestSchema,
} from '@fairlead/contract';
import { checkRoute, isWinRmError } from '@fairlead/protocol/road';
import { type CodeDesk, TICKET_MS, type TicketDesk } from './access.ts';
import { type DialPolicy, judgeRoad } from './dial-policy.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { OriginCheck } from './origin.ts';
import { fetchScript, readScriptPlace, type ScriptFetchOptions } from './pac-fetch.ts';
import type { PipeRoom } from './pipe-room.ts';
import { RateLimit } from './rate-limit.ts';
import type { SignInCookie } from './sign-in-cookie.ts';
import type { SignIn, Store } from './store.ts';

/** No body of ours is near it. */
const MAX_BODY_BYTES = 16 * 1024;

/** Whoever proves a code is the one person this relay knows, until there are accounts. */
const OWNER = 'owner';

/** What the API works with. */
export interface ApiOptions {
  readonly version: string;
  readonly demo: () => DemoInfo | null;
  readonly canReach: Status['canReach'];
  readonly policy: DialPolicy;
  readonly codes: CodeDesk;
  readonly tickets: TicketDesk;
  readonly ticketsPerMinute: number;
  readonly scripts: ScriptFetchOptions;
  readonly store: Store;
  readonly cookie: SignInCookie;
  readonly origins: OriginCheck;
  readonly room: PipeRoom;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly onCodeUsed: () => void;
}

/** PAC files one person may fetch in a minute. */
const SCRIPTS_PER_MINUTE = 10;

/** An answer: a status, and what goes into the body. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The JSON API of `packages/contract/src/api.ts`. */
export class Api {
  readonly #o: ApiOptions;
  readonly #ticketRate: RateLimit;
  readonly #scriptRate = new RateLimit(SCRIPTS_PER_MINUTE);

  constructor(options: ApiOptions) {
    this.#o = options;
    this.#ticketRate = new RateLimit(options.ticketsPerMinute);
  }

  /** Answers a request whose path begins with `/api/`. The `Host` has been judged. */
  async answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const answer = await this.#choose(request, response, path);
    const body = Buffer.from(JSON.stringify(answer.body));
    response.writeHead(answer.status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #choose(request: IncomingMessage, response: ServerResponse, path: string): Promise<Answer> {
    const isStatus = path === API_PATHS.status;
    const isKnown = Object.values<string>(API_PATHS).includes(path);
    if (!isKnown) return malformed(404, 'path');
    if (isStatus ? request.method !== 'GET' && request.method !== 'HEAD' : request.method !== 'POST') {
      response.setHeader('Allow', isStatus ? 'GET, HEAD' : 'POST');
      return malformed(405, 'method');
    }
    const signIn = this.#signInOf(request);
    if (isStatus) return { status: 200, body: this.#status(signIn !== null) };
    if (!this.#o.origins.isOwnPage(request)) {
      this.#o.log.warn('http.refused', { what: 'origin' });
      return malformed(403, 'origin');
    }
    if (!/^application\/json *(?:;|$)/i.test(request.headers['content-type'] ?? '')) return malformed(415, 'body');
    const body = await readJson(request);
    if (body === undefined) {
      response.setHeader('Connection', 'close');
      return malformed(400, 'body');
    }
    if (path === API_PATHS.signIn) return this.#signIn(request, response, body);
    if (path === API_PATHS.signOut) return this.#signOut(response, signIn);
    if (path === API_PATHS.proxyScript) return this.#proxyScript(body, signIn);
    return this.#ticket(body, signIn);
  }

  #signInOf(request: IncomingMessage): SignIn | null {
    const token = this.#o.cookie.read(request);
    return token === null ? null : this.#o.store.find(token, this.#o.room.clock.now());
  }

  #status(isSignedIn: boolean): Status {
    const { version, demo, canReach } = this.#o;
    return isSignedIn
      ? { signedIn: true, version, demo: demo(), canReach }
      : { signedIn: false, version, demo: null, canReach: { targets: [], proxies: [] } };
  }

  #signIn(request: IncomingMessage, response: ServerResponse, body: unknown): Answer {
    const { codes, store, cookie, room, log, metrics, onCodeUsed } = this.#o;
    const read = signInSchema.safeParse(body);
    if (!read.success) return malformed(400, 'body');
    const verdict = codes.redeem(read.data.proof, request.socket.remoteAddress ?? '', room.clock.monotonicMs());
    metrics.signIns.inc({ result: verdict });
    if (verdict !== 'accepted') {
      log.warn('sign-in.refused', { what: verdict });
      return verdict === 'limited'
        ? refusal(429, { code: 'relay.limit-reached', details: { limit: codes.perMinute } })
        : refusal(401, { code: 'relay.sign-in-required', details: {} });
    }
    cookie.write(response, store.begin(OWNER, room.clock.now()));
    log.info('sign-in.accepted', { person: OWNER });
    onCodeUsed();
    return { status: 200, body: this.#status(true) };
  }

  #signOut(response: ServerResponse, signIn: SignIn | null): Answer {
    this.#o.cookie.clear(response);
    if (signIn !== null) {
      this.#o.store.end(signIn.id);
      this.#o.room.closeSignIn(signIn.id);
      this.#o.log.info('sign-in.ended', { person: signIn.person });
    }
    return { status: 200, body: this.#status(false) };
  }

  async #proxyScript(body: unknown, signIn: SignIn | null): Promise<Answer> {
    const { scripts, room, log } = this.#o;
    if (signIn === null) return refusal(401, { code: 'relay.sign-in-required', details: {} });
    const read = proxyScriptRequestSchema.safeParse(body);
    if (!read.success) return malformed(400, 'body');
    const { person } = signIn;
    if (!this.#scriptRate.take(person, room.clock.monotonicMs())) {
      log.warn('script.refused', { person, code: 'relay.limit-reached' });
      return refusal(429, { code: 'relay.limit-reached', details: { limit: SCRIPTS_PER_MINUTE } });
    }
    try {
      const place = readScriptPlace(read.data.url, scripts.rules);
      const text = await fetchScript(place, scripts);
      log.info('script.fetched', { person, host: place.host, port: place.port });
      return { status: 200, body: { text } satisfies ProxyScriptReply };
    } catch (error) {
      if (isWinRmError(error, 'misuse.bad-argument')) return refusal(400, { code: error.code, details: error.details });
      if (isWinRmError(error, 'relay.policy-denied')) {
        log.warn('script.refused', { person, code: error.code });
        // Whether a name exists, and where it leads, is not told to whoever may not fetch from there.
        return refusal(403, { code: error.code, details: { ...error.details, rule: 'script' } });
      }
      if (!isWinRmError(error, 'pac.not-fetched')) throw error;
      log.warn('script.refused', { person, code: error.code });
      return refusal(502, { code: error.code, details: error.details });
    }
  }

  #ticket(body: unknown, signIn: SignIn | null): Answer {
    const { tickets, policy, room, log } = this.#o;
    if (signIn === null) return refusal(401, { code: 'relay.sign-in-required', details: {} });
    const read = ticketRequestSchema.safeParse(body);
    if (!read.success) return malformed(400, 'body');
    const { target, route } = read.data;
    const denial = judgeRoad(policy, target, route.hops);
    if (denial !== null) {
      log.warn('ticket.refused', { person: signIn.person, what: denial.rule, code: 'relay.policy-denied' });
      return refusal(403, { code: 'relay.policy-denied', details: { ...denial } });
    }
    try {
      checkRoute(route, { scheme: 'http', ...target });
    } catch (error) {
      if (!isWinRmError(error, 'misuse.bad-argument')) throw error;
      return refusal(400, { code: error.code, details: error.details });
    }
    const now = room.clock.monotonicMs();
    const hasRate = this.#ticketRate.take(signIn.person, now);
    const ticket = hasRate ? tickets.give(signIn.person, read.data, now) : null;
    if (ticket === null) {
      const limit = hasRate ? tickets.limit : this.#ticketRate.perMinute;
      log.warn('ticket.refused', { person: signIn.person, code: 'relay.limit-reached' });
      return refusal(429, { code: 'relay.limit-reached', details: { limit } });
    }
    log.info('ticket.given', {
      person: signIn.person,
      host: target.host,
      port: target.port,
      hops: route.hops.length,
    });
    return { status: 200, body: { ticket, expiresInMs: TICKET_MS } satisfies TicketReply };
  }
}

function refusal(status: number, error: RelayError): Answer {
  return { status, body: { error } };
}

function malformed(status: number, argument: string): Answer {
  return refusal(status, { code: 'misuse.bad-argument', details: { argument, reason: 'malformed' } });
}

/** The body as JSON; undefined when it is none or too long. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY_BYTES) return undefined;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return undefined;
  }
}
