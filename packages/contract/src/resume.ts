import './jitless.ts';
import * as z from 'zod/mini';

/**
 * A pipe that outlives its links. A tab that dials with `resumable` gets a pipe's name and a token with `opened`. When
 * its link breaks it opens another and says
 *
 *   tab     resume   the pipe's name and a nonce
 *   relay   prove    a nonce
 *   tab     proof    how much it has received, and `resumeMac` over all of this
 *   relay   resumed  how much it has received, and the other `resumeMac`
 *
 * Then both repeat what the other lacks. The token crosses once, with `opened`; the relay keeps its hash, which is the
 * key of both codes. From `proof` on the pipe's earlier link is cut off, whatever it still brings.
 */

/** 32 random bytes in base64url: a token, a nonce, a MAC. */
const word = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/));
const count = z.int().check(z.gte(0));

/** What `opened` says of a pipe that can be resumed. */
export const lastingSchema = z.object({
  /** The pipe's name; no secret. */
  pipe: word,
  token: word,
  /** Bytes the relay holds while there is no link, and seconds it waits for the next one. */
  holdBytes: z.int().check(z.gte(0), z.lte(1 << 30)),
  holdSeconds: z.int().check(z.gte(0)),
});

/** Either way: so much has been taken by whoever reads here; see `ResumeLog`. */
export const ackSchema = z.strictObject({ type: z.literal('ack'), count });

/** Tab: takes a pipe up again. */
export const resumeSchema = z.strictObject({ type: z.literal('resume'), pipe: word, nonce: word });

/** Tab: knows the token. */
export const proofSchema = z.strictObject({ type: z.literal('proof'), received: count, mac: word });

/** Relay: wants to see that. */
export const proveSchema = z.object({ type: z.literal('prove'), nonce: word });

/** Relay: the pipe is on this link from now on. */
export const resumedSchema = z.object({ type: z.literal('resumed'), received: count, mac: word });

/** See `lastingSchema`. */
export type Lasting = z.infer<typeof lastingSchema>;

/** What both codes of one resume are over. */
export interface ResumeRound {
  readonly pipe: string;
  readonly tabNonce: string;
  readonly relayNonce: string;
}

/** What is kept of a token, at either end: its hash, which is the key of both codes. */
export async function resumeKey(token: string): Promise<Uint8Array<ArrayBuffer>> {
  const text = new TextEncoder().encode(`fairlead resume\n${token}`);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', text));
}

/** HMAC-SHA256 over a round and how much `side` has received, in base64url. The two sides' codes differ always. */
export async function resumeMac(
  key: Uint8Array<ArrayBuffer>,
  side: 'tab' | 'relay',
  { pipe, tabNonce, relayNonce }: ResumeRound,
  received: number,
): Promise<string> {
  const text = ['fairlead resume', side, pipe, tabNonce, relayNonce, received].join('\n');
  const hmac = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return base64url(new Uint8Array(await crypto.subtle.sign('HMAC', hmac, new TextEncoder().encode(text))));
}

/** Bytes in base64url without padding. */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
