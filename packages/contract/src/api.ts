import './jitless.ts';
import * as z from 'zod/mini';
import { looseErrorSchema } from './codes.ts';
import { ticketSchema } from './dial.ts';

/**
 * The JSON API. Every POST has `Content-Type: application/json` and comes from the page's own origin. An answer other
 * than 2xx is an `apiErrorSchema`; its error is read with `readRelayError`:
 *
 *   401 relay.sign-in-required   nobody is signed in; from `sign-in` itself: the code is wrong or was used
 *   403 relay.policy-denied      from `tickets` and `proxyScript`
 *   400 misuse.bad-argument      the body has not the shape below, or the road cannot be walked
 *   502 pac.not-fetched          from `proxyScript`: what is at the address cannot be had, and why
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
  /**
   * POST `proxyScriptRequestSchema`, answers `proxyScriptReplySchema`: fetches a PAC file, which a page cannot do
   * itself. http and https only, no credentials in the address, no redirects, at most 1 MiB, at most 10 seconds; only
   * from places that the relay's operator named (`canReach.scripts`), and at most `limit` times a minute.
   */
  proxyScript: '/api/proxy-script',
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

/**
 * A room of the demo's maze: a proxy before the demo's host that
 *
 *   asks      wants a sign-in of its own
 *   moves     moves requests between server connections
 *   cuts      closes connections on which nothing was said for `idleSeconds`
 *   inspects  opens TLS, under a certificate of its own
 */
const MAZE_ROOMS = ['asks', 'moves', 'cuts', 'inspects'] as const;

/** The demo's maze: roads as bad as real ones. */
const mazeSchema = z.object({
  rooms: z
    .array(
      z.object({
        room: z.enum(MAZE_ROOMS),
        proxy: z.object({ host, port }),
        /** Who may pass the proxy. No secret: it is shown on the screen, and behind the proxy is only the demo. */
        account: z.optional(
          z.object({ user: z.string().check(z.maxLength(256)), password: z.string().check(z.maxLength(256)) }),
        ),
        idleSeconds: z.optional(z.int().check(z.gte(1), z.lte(3600))),
      }),
    )
    .check(z.maxLength(MAZE_ROOMS.length)),
  /** The port, on loopback, at which the relay's own page is served by something that strips `Upgrade`. */
  stripperPort: z.optional(port),
});

/** The demo that a start script runs beside the relay. Its password is made in the tab: `demoPassword`. */
export const demoSchema = z.object({
  target: z.object({ host, port }),
  /** The same host with TLS, over the same road. */
  https: z.optional(z.object({ target: z.object({ host, port }) })),
  route: z.object({ name: z.string(), hops: z.array(hopSchema).check(z.maxLength(MAX_HOPS)) }),
  user: z.string().check(z.minLength(1), z.maxLength(256)),
  maze: z.optional(mazeSchema),
});

/** Where one stands. `demo` is null and the lists are empty while nobody is signed in. */
export const statusSchema = z.object({
  signedIn: z.boolean(),
  version: z.string(),
  demo: z.nullable(demoSchema),
  /** The allow-lists as they were written, the demo's own pairs left out. */
  canReach: z.object({
    targets: z.array(z.string()),
    proxies: z.array(z.string()),
    /** Where PAC files may be fetched from; none unless given. */
    scripts: z.exactOptional(z.array(z.string())),
    /** Whether proxies may be signed in to for an http target, where the person chooses that danger; false unless given. */
    httpBehindSignIn: z.exactOptional(z.boolean()),
  }),
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

/** Asks the relay to fetch a PAC file. */
export const proxyScriptRequestSchema = z.strictObject({ url: z.string().check(z.minLength(1), z.maxLength(2048)) });

/** A PAC file as text. It is somebody else's: nothing in it is to be believed or run but by `evaluatePac`. */
export const proxyScriptReplySchema = z.object({ text: z.string().check(z.maxLength(1 << 20)) });

/** The body of an answer that is not 2xx. */
export const apiErrorSchema = z.object({ error: looseErrorSchema });

/** The demo, as a start script describes it. */
export type DemoInfo = z.infer<typeof demoSchema>;
/** The maze of the demo. */
export type MazeInfo = z.infer<typeof mazeSchema>;
/** See `statusSchema`. */
export type Status = z.infer<typeof statusSchema>;
/** See `ticketRequestSchema`. */
export type TicketRequest = z.infer<typeof ticketRequestSchema>;
/** See `proxyScriptReplySchema`. */
export type ProxyScriptReply = z.infer<typeof proxyScriptReplySchema>;
/** See `ticketReplySchema`. */
export type TicketReply = z.infer<typeof ticketReplySchema>;
