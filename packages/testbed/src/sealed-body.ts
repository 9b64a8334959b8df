import type { SecurityContext } from '../../protocol/src/security.ts';
import { Refusal } from './refusal.ts';

/**
 * Message encryption as a server writes and reads it. [MS-WSMV] 2.2.9.1. Written apart from `protocol/seal`, so that two
 * readings of the specification meet in every test. Part headers are led by a TAB, as the specification's examples and
 * Windows have them; clients exist that know no other spelling.
 */

/** A sealed message with its HTTP Content-Type. */
export interface SealedBody {
  readonly contentType: string;
  readonly body: Buffer;
}

/** Seals an envelope. */
export function sealBody(context: SecurityContext, envelope: Uint8Array): SealedBody {
  const { header, body, paddingBytes } = context.wrap(envelope);
  const head =
    `--${BOUNDARY}\r\n\tContent-Type: ${PROTOCOL}\r\n` +
    `\tOriginalContent: type=${SOAP_TYPE};Length=${envelope.length + paddingBytes}\r\n` +
    `--${BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n`;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return {
    contentType: `multipart/encrypted;protocol="${PROTOCOL}";boundary="${BOUNDARY}"`,
    body: Buffer.concat([Buffer.from(head, 'latin1'), length, header, body, Buffer.from(`--${BOUNDARY}--\r\n`)]),
  };
}

/** Whether a request says that its body is sealed. */
export function isSealed(contentType: string): boolean {
  return /^multipart\/(?:x-multi-)?encrypted\b/i.test(contentType.trim());
}

/** Opens a sealed request. @throws Refusal, seal.bad-signature */
export function openBody(context: SecurityContext, contentType: string, body: Buffer): Uint8Array {
  const boundary = /;\s*boundary="?([^";]{1,70})"?/i.exec(contentType)?.[1];
  if (boundary === undefined) throw new Refusal('no boundary');
  const edge = `--\\s?${boundary.replace(/[^A-Za-z0-9 ]/g, '\\$&')}`;
  const head = new RegExp(
    `^${edge}\\r\\n[ \\t]*Content-Type:\\s*([^\\r\\n]{1,100})\\r\\n` +
      `[ \\t]*OriginalContent:\\s*type=[^;\\r\\n]{1,100}(?:;charset=[^;\\r\\n]{1,40})?;Length=(\\d{1,9})\\r\\n` +
      `${edge}\\r\\n[ \\t]*Content-Type:\\s*application/octet-stream\\r\\n`,
    'i',
  ).exec(body.toString('latin1', 0, MAX_HEAD_BYTES));
  if (head === null) throw new Refusal('not the framing of a sealed message');
  if (head[1]?.trim().toLowerCase() !== PROTOCOL.toLowerCase()) throw new Refusal('another protocol');
  const start = head[0].length;
  const length = Number(head[2]);
  const signatureEnd = start + 4 + SIGNATURE_BYTES;
  if (body.length < signatureEnd + length) throw new Refusal('shorter than its Length');
  if (body.readUInt32LE(start) !== SIGNATURE_BYTES) throw new Refusal('a signature that is not 16 bytes');
  const end = body.toString('latin1', signatureEnd + length);
  if (!new RegExp(`^${edge}--(?:\\r\\n){0,2}$`).test(end)) throw new Refusal('no boundary after the sealed bytes');
  return context.unwrap(body.subarray(start + 4, signatureEnd), body.subarray(signatureEnd, signatureEnd + length));
}

const BOUNDARY = 'Encrypted Boundary';
const PROTOCOL = 'application/HTTP-SPNEGO-session-encrypted';
/** What plain and sealed envelopes call themselves. [MS-WSMV] 2.2.9.1.1.2.1 */
export const SOAP_TYPE = 'application/soap+xml;charset=UTF-8';
/** [MS-NLMP] 2.2.2.9.2 */
const SIGNATURE_BYTES = 16;
/** Two boundaries of 70 characters and three headers, with room. */
const MAX_HEAD_BYTES = 1024;
