import { isWinRmError } from '../errors.ts';
import type { PostFate, PostOptions } from '../wsman/lane.ts';

/** What may be done and said about an envelope whose post has failed. */

/**
 * Whether an envelope may be posted again. A refusal that nobody sealed is anyone's word: a proxy may have let the request
 * through and answered 401 itself, and so may whoever ends TLS in front of the server. So a Command or a Send is sent again
 * only if it never left. A Create that met a connection closed behind its sign-in is: some proxies close there, and a
 * shell made twice goes when it has idled.
 */
export function maySendAgain(fate: PostFate, error: unknown, { isRepeatable, mayRide }: PostOptions): boolean {
  if (fate === 'not-sent') return true;
  if (fate === 'refused' || isClosedAfterSignIn(error)) return isRepeatable || mayRide;
  return isRepeatable && isLoss(error);
}

/**
 * Whether an envelope that may not be repeated may have been acted on. A refusal that nobody sealed says nothing about
 * what the server did: whoever is told "refused" does it once more by hand. What is wrong with a seal, or inside a good
 * one, is told as that.
 */
export function isFateUnknown(fate: PostFate, error: unknown): boolean {
  if (fate === 'not-sent') return false;
  if (isLoss(error) || isTlsFailure(error)) return fate === 'unknown';
  return !(isWinRmError(error) && ABOUT_SEALED.test(error.code));
}

/** Whether a proxy closed the connection with the reply that ended the sign-in: the seed's rule R20. */
export function isClosedAfterSignIn(error: unknown): boolean {
  return isWinRmError(error, 'proxy.drops-connection') && error.details.stage === 'signed-in';
}

/** Whether the connection went away under a request, or under the last leg that carried it; nobody knows how far it got. */
export function isLoss(error: unknown): boolean {
  const isLegLost = isWinRmError(error, 'auth.incomplete') || isWinRmError(error, 'proxy.drops-connection');
  const below = isLegLost ? error.cause : error;
  return LOSSES.some((code) => isWinRmError(below, code));
}

/** What TLS cannot believe is not asked for again by itself; but the request it was the answer to may have been acted on. */
function isTlsFailure(error: unknown): boolean {
  return isWinRmError(error) && error.code.startsWith('tls.');
}

/** What is wrong with a seal, or inside a good one. */
const ABOUT_SEALED = /^(?:seal\..*|wsman\.malformed|wsman\.wrong-reply)$/;

const LOSSES = ['http.closed-early', 'relay.lost', 'session.timed-out'] as const;
