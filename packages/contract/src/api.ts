import './jitless.ts';
import * as z from 'zod/mini';
import { looseErrorSchema } from './codes.ts';
import { ticketSchema } from './dial.ts';

/**
 * The JSON API. Every POST has `Content-Type: application/json` and comes from the page's own origin. An answer other
 * than 2xx is an `apiErrorSchema`; its error is read with `readRelayError`:
 *
 *   401 relay.sign-in-required   nobody is signed in; from `sign-in` itself: the code is wrong or was used
 *   403 relay.policy-denied      from `tickets`
 *   400 misuse.bad-argument      the body has not the shape below, or the road cannot be walked
 *   429 relay.limit-reached      too many attempts or too many tickets; `limit` is how many a minute are allowed
 */
export const API_PATHS = {
  /** GET, `statusSchema`. */
  status: '/api/status',
  /** POST `signInSchema`, answers `statusSchema`. */
  signIn: '/api/sign-in',
  /** POST `{}`, answers `statusSchema`. */
  signOut: '/api/sign-out',
  /** POST `ticketRequestSchema`, answers `ticketReplySchema`. */
  tickets: '/api/tickets',
} as const;

/** Most proxies on one road. */
export const MAX_HOPS = 4;

const host = z.string().check(z.minLength(1), z.maxLength(253));
const port = z.int().check(z.gte(1), z.lte(65_535));

/** A host (name, IPv4, or IPv6 without brackets) and a TCP port. */
export const addressSchema = z.strictObject({ host, port });

/** One proxy on a road. */
export const hopSchema = z.strictObject({
  kind: z.enum(['http-connect', 'http-forward', 'socks5']),
  host,
  port,
  /** Whether the proxy is spoken to over TLS. */
  tls: z.exactOptional(z.boolean()),
});

/** A road through proxies; no hops is a direct one. The name is the person's own and is not sent on. */
export const routeSchema = z.strictObject({
  name: z.string().check(z.maxLength(100)),
  hops: z.array(hopSchema).check(z.maxLength(MAX_HOPS)),
});

/** The demo that a start script runs beside the relay. Its password is made in the tab: `demoPassword`. */
export const demoSchema = z.object({
  target: z.object({ host, port }),
  /** The same host with TLS, over the same road. */
  https: z.optional(z.object({ target: z.object({ host, port }) })),
  route: z.object({ name: z.string(), hops: z.array(hopSchema).check(z.maxLength(MAX_HOPS)) }),
  user: z.string().check(z.minLength(1), z.maxLength(256)),
});

/** Where one stands. `demo` is null and the lists are empty while nobody is signed in. */
export const statusSchema = z.object({
  signedIn: z.boolean(),
  version: z.string(),
  demo: z.nullable(demoSchema),
  /** The allow-lists as they were written, the demo's own pairs left out. */
  canReach: z.object({ targets: z.array(z.string()), proxies: z.array(z.string()) }),
});

/** Proof of a sign-in code: `signInProof`. */
export const signInSchema = z.strictObject({ proof: z.string().check(z.regex(/^[0-9a-f]{64}$/)) });

/**
 * Asks for one connection to one target over one road. `scheme` is what will be spoken to the target, http unless given:
 * behind a proxy that wants credentials only https goes, and the relay holds the tab to its word.
 */
export const ticketRequestSchema = z.strictObject({
  target: addressSchema,
  route: routeSchema,
  scheme: z.exactOptional(z.enum(['http', 'https'])),
});

/** A ticket for one `dial`. */
export const ticketReplySchema = z.object({ ticket: ticketSchema, expiresInMs: z.int().check(z.gte(0)) });

/** The body of an answer that is not 2xx. */
export const apiErrorSchema = z.object({ error: looseErrorSchema });

/** The demo, as a start script describes it. */
export type DemoInfo = z.infer<typeof demoSchema>;
/** See `statusSchema`. */
export type Status = z.infer<typeof statusSchema>;
/** See `ticketRequestSchema`. */
export type TicketRequest = z.infer<typeof ticketRequestSchema>;
/** See `ticketReplySchema`. */
export type TicketReply = z.infer<typeof ticketReplySchema>;
