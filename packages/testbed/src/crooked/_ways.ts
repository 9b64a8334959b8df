import { randomBytes } from 'node:crypto';
import { concatBytes, latin1Encode } from '../../../protocol/src/bytes/bytes.ts';
import { Headers } from '../../../protocol/src/http/headers.ts';
import type { HttpRequest } from '../../../protocol/src/http/request.ts';
import type { HttpResponse } from '../../../protocol/src/http/response.ts';
import type { Crookedness } from './crooked-proxy.ts';

/** How requests that are read find an upstream connection. */
export type PairingKind =
  /** A client keeps its own. */
  | 'kept'
  /** A client has two and takes them in turn. */
  | 'turning'
  /** Everybody has the same. */
  | 'one-for-all'
  /** Whichever is free, the last used first. */
  | 'pooled';

/** A reply as it is written to a client. */
export interface Reply {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

/** What a proxy does to the requests and replies it reads. */
export interface Way {
  readonly pairing: PairingKind;
  /** Whether it reads HTTP inside tunnels too. TLS it can only pass on. */
  readonly readsTunnels: boolean;
  /** Whether it challenges before it does anything. */
  readonly asks: readonly string[];
  readonly bend?: (reply: Reply) => Reply;
  /** Whether the client's connection ends with this reply. */
  readonly closesAfter?: (reply: HttpResponse, request: HttpRequest) => boolean;
}

const HONEST: Way = { pairing: 'kept', readsTunnels: false, asks: [] };
const READER: Way = { ...HONEST, readsTunnels: true };

const hasToken = (request: HttpRequest): boolean => request.headers.has('Authorization');
const isChallenge = ([name]: readonly [string, string]): boolean => name.toLowerCase() === 'www-authenticate';

/** What each does. Bytes that are not read (tunnels, TLS) are bent in `_tunnel.ts`. */
export const WAYS: Readonly<Record<Crookedness, Way>> = {
  'asks-for-sign-in': { ...HONEST, asks: ['Negotiate', 'NTLM', 'Basic realm="proxy"'] },
  're-pairs': { ...HONEST, pairing: 'turning' },
  'shares-connections': { ...READER, pairing: 'one-for-all' },
  'closes-after-200': { ...READER, closesAfter: ({ status }, request) => status === 200 && hasToken(request) },
  'closes-after-401': { ...READER, closesAfter: ({ status }) => status === 401 },
  'speaks-http-1.0': { ...HONEST, bend: (reply) => ({ ...reply, version: '1.0' }), closesAfter: () => true },
  'strips-challenges': {
    ...READER,
    bend: (reply) => ({ ...reply, fields: reply.fields.filter((field) => !isChallenge(field)) }),
  },
  'says-close': {
    ...READER,
    bend: (reply) => ({ ...reply, fields: [...reply.fields, ['Connection', 'close']] }),
    closesAfter: () => true,
  },
  'answers-html-after-200': HONEST,
  'asks-with-401': { ...HONEST, asks: ['Basic realm="proxy"'] },
  'keeps-first-challenge': {
    ...READER,
    bend: (reply) => {
      const first = reply.fields.findIndex(isChallenge);
      return { ...reply, fields: reply.fields.filter((field, at) => at === first || !isChallenge(field)) };
    },
  },
  'lends-authenticated-connection': { ...READER, pairing: 'pooled' },
  'loops-407': { ...HONEST, asks: ['Digest'] },
  dribbles: HONEST,
  'cuts-idle': HONEST,
  truncates: HONEST,
  injects: { ...HONEST },
  'inspects-tls': HONEST,
};

/** What 'injects' writes: a line of script, as access networks have done. */
export const INJECTED = latin1Encode('<script src="http://ads.example/banner.js"></script>');

/** A question that is new each time, and says that the last answer came too late. RFC 7616, section 3.3 */
export function staleQuestion(): string {
  const nonce = randomBytes(12).toString('hex');
  return `Digest realm="proxy", nonce="${nonce}", qop="auth", algorithm=SHA-256, stale=true`;
}

/** A page of the proxy's own. */
export function ownPage(status: number, reason: string, words: string, fields: Reply['fields'] = []): Reply {
  const body = latin1Encode(`<!doctype html><title>${reason}</title><h1>${reason}</h1><p>${words}</p>\n`);
  return { version: '1.1', status, reason, fields: [...fields, ['Content-Type', 'text/html']], body };
}

/** An upstream's reply without the fields that are for one connection only. RFC 9110, section 7.6.1 */
export function passedOn(reply: HttpResponse, fields: Reply['fields']): Reply {
  const { version, status, reason, headers, body } = reply;
  return { version, status, reason, fields: [...throughFields(headers), ...fields], body };
}

/** A client's request as it goes upstream: in origin form, without what was for the proxy. */
export function goingOn(request: HttpRequest, target: string, fields: Reply['fields']): HttpRequest {
  const headers = new Headers([...throughFields(request.headers), ...fields]);
  return { method: request.method, target, headers, body: request.body };
}

/** The bytes of a reply; its length is that of its body. */
export function encodeReply({ version, status, reason, fields, body }: Reply): Uint8Array {
  const lines = [`HTTP/${version} ${status} ${reason}`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  return concatBytes(latin1Encode(`${[...lines, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n`), body);
}

const FOR_ONE_CONNECTION = [
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'transfer-encoding',
];

function throughFields(headers: Headers): (readonly [string, string])[] {
  return headers.entries().filter(([name]) => !FOR_ONE_CONNECTION.includes(name.toLowerCase()));
}
