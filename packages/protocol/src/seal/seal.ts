import { concatBytes } from '../bytes/bytes.ts';
import { fail } from '../errors.ts';
import type { SecurityContext } from '../security.ts';
import type { SealedPart } from './_multipart.ts';
import { decodeSealedBody, encodeSealedBody, protocolName, sealedContentType } from './_multipart.ts';

/**
 * Seals an envelope into an HTTP body, with any mechanism's keys. [MS-WSMV] 2.2.9.1
 *
 * INVARIANT: envelopes are sealed in the order in which they are sent, one at a time.
 * @throws misuse.wrong-state when the context is dead
 */
export function sealEnvelope(context: SecurityContext, plain: Uint8Array): { contentType: string; body: Uint8Array } {
  const parts: SealedPart[] = [];
  let start = 0;
  do {
    const end = Math.min(plain.length, start + context.maxSealBytes);
    const piece = plain.subarray(start, end);
    const { header, body, paddingBytes } = context.wrap(piece);
    parts.push({ declaredBytes: piece.length + paddingBytes, header, body });
    start = end;
  } while (start < plain.length);
  return {
    contentType: sealedContentType(context.sealProtocol, parts.length),
    body: encodeSealedBody(context.sealProtocol, parts),
  };
}

/**
 * Opens a sealed body. Nothing of it is returned before all of it has been verified.
 *
 * @throws seal.malformed, seal.bad-signature, seal.length-mismatch, seal.unsupported; the context is dead afterwards,
 * because its counters no longer match the peer's
 */
export function unsealReply(context: SecurityContext, contentType: string, body: Uint8Array): Uint8Array {
  try {
    requireProtocol(context, contentType);
    const pieces = decodeSealedBody(context.sealProtocol, body).map((part) => open(context, part));
    return pieces.length === 1 ? (pieces[0] as Uint8Array) : concatBytes(...pieces);
  } catch (error) {
    context.destroy();
    throw error;
  }
}

/** Whether a content type says that the body is sealed. [MS-WSMV] 2.2.9.1 */
export function isSealedType(contentType: string): boolean {
  return /^\s*multipart\/(x-multi-)?encrypted\s*(;|$)/i.test(contentType);
}

function requireProtocol(context: SecurityContext, contentType: string): void {
  if (!isSealedType(contentType)) fail('seal.unsupported', { protocol: contentType.slice(0, MAX_NAMED_CHARACTERS) });
  const named = /;\s*protocol\s*=\s*"?([^";]*)"?/i.exec(contentType)?.[1]?.trim();
  if (named !== undefined && named.toLowerCase() !== protocolName(context.sealProtocol).toLowerCase())
    fail('seal.unsupported', { protocol: named.slice(0, MAX_NAMED_CHARACTERS) });
}

/** Enough of a stranger's protocol name to recognise it. */
const MAX_NAMED_CHARACTERS = 100;

function open(context: SecurityContext, part: SealedPart): Uint8Array {
  const plain = context.unwrap(part.header, part.body);
  const length = part.declaredBytes;
  // QUIRK: OMI seals the NUL that ends its text, sometimes without counting it; no envelope ends in one
  if (plain.length < length || !plain.subarray(length).every(isNul))
    fail('seal.length-mismatch', { declared: length, received: plain.length });
  let end = length;
  while (end > 0 && plain[end - 1] === 0) end--;
  return plain.subarray(0, end);
}

function isNul(byte: number): boolean {
  return byte === 0;
}
