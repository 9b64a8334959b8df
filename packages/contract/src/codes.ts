import './jitless.ts';
import * as z from 'zod/mini';

/** Where the byte socket lives. */
export const PIPE_PATH = '/ws/pipe';

/** The same messages over HTTP requests, for where the Upgrade is stripped; see http-pipe.ts. */
export const HTTP_PIPE_PATH = '/api/pipe';

/** Largest message either end may send on the byte socket; longer ones close it. */
export const MAX_MESSAGE_BYTES = 1 << 20;

/** Largest text message; control messages are small, the longest carries 2 KiB of a proxy's refusal. */
export const MAX_CONTROL_CHARACTERS = 16_384;

/** Each end says something at least this often: idle timeouts in between start at 60 s, and many count data only. */
export const BEAT_MS = 20_000;

/**
 * Silence after which an end gives the link up. A hidden tab's timers may fire only once a minute, so several beats may
 * be missing from a healthy one.
 */
export const MAX_SILENCE_MS = 150_000;

/** Why a byte socket was closed, as WebSocket close codes. RFC 6455 section 7.4; 4000 to 4999 are ours to give. */
export const CLOSE_CODES = {
  /** Both directions ended, or the tab closed it. */
  finished: 1000,
  /** The relay is shutting down. */
  draining: 1001,
  /** A message larger than `MAX_MESSAGE_BYTES`. */
  tooLarge: 1009,
  /** A message that is not in the contract, or not at this point. */
  malformed: 4400,
  /** Nobody is signed in, or no longer. */
  signInRequired: 4401,
  /** The policy does not allow the target, a proxy or the address. */
  policyDenied: 4403,
  /** There is no such pipe any more, or it is not for whoever asked. */
  gone: 4404,
  /** No ticket in time, or silence for too long. */
  silent: 4408,
  /** The pipe has been taken up on another link. */
  replaced: 4409,
  /** The ticket is unknown, used or expired. */
  ticketRefused: 4410,
  /** Too many connections or too many dials. */
  limitReached: 4429,
  /** A fault of the relay's own. */
  fault: 4500,
  /** The road could not be walked. */
  roadFailed: 4502,
  /** The TCP connection broke after the road had been opened. */
  cut: 4503,
} as const;

const host = z.string().check(z.maxLength(255));
const port = z.int().check(z.gte(0), z.lte(65_535));
const word = z.string().check(z.maxLength(200));
const evidence = z.string().check(z.maxLength(4096));
const hop = z.int().check(z.gte(0), z.lte(64));
const count = z.int().check(z.gte(0));
const none = z.object({});

const place = { hop, host, port };
const words = { status: z.int().check(z.gte(0), z.lte(999)), via: evidence, proxyStatus: evidence, text: evidence };
const refusal = z.object({ ...place, ...words, target: z.string().check(z.maxLength(300)) });

/** The errors a relay may report, each with the shape of its details. */
export const RELAY_ERRORS = {
  'relay.sign-in-required': none,
  'relay.ticket-refused': z.object({ reason: z.enum(['expired', 'used', 'unknown']) }),
  'relay.policy-denied': z.object({ host, port, rule: z.enum(['target', 'proxy', 'address', 'road', 'script']) }),
  'relay.limit-reached': z.object({ limit: count }),
  'relay.name-not-found': z.object({ hop, host }),
  'relay.connection-refused': z.object({ hop, host, port, cause: word }),
  'relay.connect-timeout': z.object({ hop, host, port, seconds: count }),
  'relay.lost': z.object({ reason: word }),
  'http.malformed': z.object({ where: word, problem: word }),
  'http.too-large': z.object({ where: word, limitBytes: count }),
  'http.closed-early': z.object({ where: word, proxy: z.exactOptional(word) }),
  'http.not-http': z.object({ startsWith: word }),
  'proxy.auth-required': z.object({ ...place, offered: evidence }),
  'proxy.auth-unsupported': z.object({ ...place, ...words, offered: evidence, wanted: word }),
  'proxy.auth-rejected': z.object({ ...place, ...words, mechanism: word, stage: word }),
  'proxy.auth-loops': z.object({ ...place, ...words, mechanism: word, legCount: count }),
  'proxy.needs-https': z.object({ ...place, offered: evidence, refusedBy: z.enum(['relay', 'here']) }),
  'proxy.tls-failed': z.object({
    ...place,
    problem: evidence,
    about: z.exactOptional(z.enum(['certificate', 'plain'])),
  }),
  'proxy.socks-refused': z.object({
    ...place,
    target: z.string().check(z.maxLength(300)),
    reply: count,
    problem: word,
  }),
  'proxy.connect-denied': z.extend(refusal, { form: z.exactOptional(z.literal('may-forward')) }),
  'proxy.target-unreachable': refusal,
  'proxy.false-tunnel': refusal,
  'proxy.not-a-proxy': z.object({ ...place, startsWith: word, kind: z.exactOptional(z.literal('socks5')) }),
  'proxy.drops-connection': z.object({
    ...place,
    via: evidence,
    stage: word,
    why: z.enum(['closed', 'announced', 'outdated', 'unanswered', 'asking', 'unsaid']),
    status: z.exactOptional(words.status),
    proxyStatus: z.exactOptional(evidence),
    text: z.exactOptional(evidence),
  }),
  'proxy.forward-refused': z.object({ problem: word }),
  'pac.not-fetched': z.object({ host, problem: word }),
  'session.timed-out': z.object({
    at: word,
    seconds: count,
    proxy: z.exactOptional(z.string().check(z.maxLength(300))),
  }),
  'misuse.bad-argument': z.object({
    argument: word,
    reason: z.enum([
      'empty',
      'too-long',
      'not-a-number',
      'out-of-range',
      'control-character',
      'lone-surrogate',
      'not-a-host',
      'not-a-url',
      'unsupported-scheme',
      'has-credentials',
      'has-query',
      'unknown-code-page',
      'not-in-code-page',
      'forward-needs-http',
      'forward-not-last',
      'bad-header',
      'bad-xml',
      'malformed',
      'needs-https',
      'cannot-seal',
      'socks-needs-plain',
    ]),
    limit: z.exactOptional(z.number()),
  }),
} as const;

/** A code the relay may report. */
export type RelayErrorCode = keyof typeof RELAY_ERRORS;

/** An error as it crosses the wire: a code of the protocol package and that code's details. */
export type RelayError = {
  [Code in RelayErrorCode]: { code: Code; details: z.infer<(typeof RELAY_ERRORS)[Code]> };
}[RelayErrorCode];

/** An error before its details have been looked at. */
export const looseErrorSchema = z.object({
  code: z.string().check(z.maxLength(64)),
  details: z.record(z.string().check(z.maxLength(64)), z.unknown()),
});

/** Reads an error: the code must be one a relay may report and the details must have its shape. Null otherwise. */
export function readRelayError(value: unknown): RelayError | null {
  const loose = looseErrorSchema.safeParse(value);
  if (!loose.success || !Object.hasOwn(RELAY_ERRORS, loose.data.code)) return null;
  const code = loose.data.code as RelayErrorCode;
  const details = RELAY_ERRORS[code].safeParse(loose.data.details);
  return details.success ? ({ code, details: details.data } as RelayError) : null;
}
