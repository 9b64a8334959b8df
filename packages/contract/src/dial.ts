import './jitless.ts';
import * as z from 'zod/mini';
import { MAX_CONTROL_CHARACTERS } from './codes.ts';
import { ackSchema, lastingSchema, proofSchema, proveSchema, resumedSchema, resumeSchema } from './resume.ts';

/**
 * The byte socket between a tab and the relay. Binary messages are bytes, verbatim and in order; text messages are the
 * control messages below. The tab speaks first (`dial`); while the road is walked the relay may hand up what a proxy asks
 * (`challenge`), and the tab says what to tell it (`answer`); bytes may flow, both ways, once the relay has said `opened`.
 * A tab that dialled with `resumable` may take the same pipe up on another socket: see resume.ts.
 */

/** A ticket as it is written: 32 random bytes in base64url. */
export const ticketSchema = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/));

/** How far a road has been walked; the same shape as the protocol package's `HopReport`. */
export const hopReportSchema = z.object({
  hop: z.int().check(z.gte(0), z.lte(64)),
  party: z.enum(['relay', 'proxy', 'server']),
  host: z.string().check(z.maxLength(255)),
  port: z.int().check(z.gte(0), z.lte(65_535)),
  stage: z.enum(['resolving', 'connecting', 'asking', 'open']),
  ms: z.number().check(z.gte(0)),
  address: z.string().check(z.maxLength(64)),
});

/**
 * What goes into Proxy-Authorization: a scheme, a blank, and printable characters. Shorter than a control message by what
 * JSON may add.
 */
const authorizationSchema = z.string().check(z.maxLength(12_000), z.regex(/^[!-~]+ [ -~]+$/));

/** A proxy on the road wants credentials; the same shape as the protocol package's `ProxyChallenge`. */
export const challengeSchema = z.object({
  hop: z.int().check(z.gte(1), z.lte(64)),
  host: z.string().check(z.maxLength(255)),
  port: z.int().check(z.gte(0), z.lte(65_535)),
  kind: z.enum(['http', 'socks5']),
  target: z.string().check(z.maxLength(300)),
  leg: z.int().check(z.gte(0), z.lte(64)),
  status: z.int().check(z.gte(0), z.lte(999)),
  offered: z.array(z.string().check(z.maxLength(6000))).check(z.maxLength(16)),
  via: z.string().check(z.maxLength(256)),
  proxyStatus: z.string().check(z.maxLength(256)),
  text: z.string().check(z.maxLength(4096)),
});

/** What a tab may say. */
export const tabMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('dial'), ticket: ticketSchema, resumable: z.exactOptional(z.literal(true)) }),
  z.strictObject({
    type: z.literal('answer'),
    hop: z.int().check(z.gte(1), z.lte(64)),
    authorization: authorizationSchema,
  }),
  z.strictObject({ type: z.literal('end') }),
  z.strictObject({ type: z.literal('beat') }),
  ackSchema,
  resumeSchema,
  proofSchema,
]);

/** What a relay may say. */
export const relayMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hop'), report: hopReportSchema }),
  z.object({ type: z.literal('challenge'), challenge: challengeSchema }),
  z.object({
    type: z.literal('opened'),
    form: z.enum(['origin', 'absolute']),
    hasProxy: z.boolean(),
    lasting: z.exactOptional(lastingSchema),
  }),
  z.object({
    type: z.literal('failed'),
    code: z.string().check(z.maxLength(64)),
    details: z.record(z.string().check(z.maxLength(64)), z.unknown()),
  }),
  z.object({ type: z.literal('end') }),
  z.object({ type: z.literal('beat') }),
  ackSchema,
  proveSchema,
  resumedSchema,
]);

/** A control message of a tab. */
export type TabMessage = z.infer<typeof tabMessageSchema>;

/** A control message of a relay. `failed` carries an error still to be read with `readRelayError`. */
export type RelayMessage = z.infer<typeof relayMessageSchema>;

/** Reads a tab's text message; null when it is none. */
export function readTabMessage(text: string): TabMessage | null {
  return readMessage(tabMessageSchema, text);
}

/** Reads a relay's text message; null when it is none. */
export function readRelayMessage(text: string): RelayMessage | null {
  return readMessage(relayMessageSchema, text);
}

function readMessage<Message>(schema: z.ZodMiniType<Message>, text: string): Message | null {
  if (text.length > MAX_CONTROL_CHARACTERS) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const read = schema.safeParse(value);
  return read.success ? read.data : null;
}
