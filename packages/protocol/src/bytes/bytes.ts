/** Byte arrays and the text encodings the protocols use. Nothing here knows a protocol. */

const utf8Encoder = new TextEncoder();

/** An empty array, shared; nobody writes to zero bytes. */
export const NO_BYTES = new Uint8Array(0);

/** Joins byte arrays into a new one. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Equality that returns early. For public bytes only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Equality whose time does not depend on where the arrays differ. For checksums and tags. */
export function equalBytesConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Hexadecimal to bytes, blanks allowed; null when it is not hexadecimal. */
export function fromHex(text: string): Uint8Array | null {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return null;
  const out = new Uint8Array(digits.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return out;
}

const BASE64_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64_VALUE = base64Values();
/** A multiple of three, small enough to keep each piece of text short-lived. */
const BASE64_CHUNK_BYTES = 3 * 4096;

/** Base64 with padding. RFC 4648, section 4. */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; start += BASE64_CHUNK_BYTES) {
    parts.push(base64Chunk(bytes.subarray(start, start + BASE64_CHUNK_BYTES)));
  }
  return parts.join('');
}

function base64Chunk(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const word = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += BASE64_ALPHABET.charAt(word >> 18) + BASE64_ALPHABET.charAt((word >> 12) & 63);
    text += left > 1 ? BASE64_ALPHABET.charAt((word >> 6) & 63) : '=';
    text += left > 2 ? BASE64_ALPHABET.charAt(word & 63) : '=';
  }
  return text;
}

/** Base64 to bytes; white space is skipped, padding is required; null when it is not base64. */
export function fromBase64(text: string): Uint8Array | null {
  const digits = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  if (digits.length % 4 !== 0) return null;
  const paddingLength = digits.endsWith('==') ? 2 : digits.endsWith('=') ? 1 : 0;
  const out = new Uint8Array((digits.length / 4) * 3 - paddingLength);
  const wholeLength = digits.length - (paddingLength === 0 ? 0 : 4);
  let at = 0;
  // All command output comes this way: one pass without branches, and one look at the end for what is no digit.
  let seen = 0;
  for (let i = 0; i < wholeLength; i += 4) {
    const word =
      (valueAt(digits, i) << 18) |
      (valueAt(digits, i + 1) << 12) |
      (valueAt(digits, i + 2) << 6) |
      valueAt(digits, i + 3);
    seen |= word;
    out[at++] = word >> 16;
    out[at++] = word >> 8;
    out[at++] = word;
  }
  if (paddingLength > 0) {
    const third = paddingLength === 2 ? 0 : valueAt(digits, wholeLength + 2);
    const word = (valueAt(digits, wholeLength) << 18) | (valueAt(digits, wholeLength + 1) << 12) | (third << 6);
    if ((word & (paddingLength === 2 ? 0xffff : 0xff)) !== 0) return null;
    seen |= word;
    out[at++] = word >> 16;
    if (paddingLength === 1) out[at] = word >> 8;
  }
  return seen < 0 ? null : out;
}

/** Of one digit, 0 to 63; what is no digit is negative, and stays so in whatever it is shifted and joined into. */
function valueAt(digits: string, at: number): number {
  const code = digits.charCodeAt(at);
  return code > 255 ? -1 : (BASE64_VALUE[code] as number);
}

function base64Values(): Int8Array {
  const values = new Int8Array(256).fill(-1);
  for (let i = 0; i < BASE64_ALPHABET.length; i++) values[BASE64_ALPHABET.charCodeAt(i)] = i;
  return values;
}

/** UTF-8. Lone surrogates become U+FFFD; refuse them earlier where that matters. */
export function utf8Encode(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** UTF-8 to text, ill-formed input becoming U+FFFD, or null when `strict`. A byte-order mark is kept. */
export function utf8Decode(bytes: Uint8Array): string;
export function utf8Decode(bytes: Uint8Array, strict: 'strict'): string | null;
export function utf8Decode(bytes: Uint8Array, strict?: 'strict'): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: strict !== undefined, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** UTF-16LE without a byte-order mark; what [MS-NLMP] calls Unicode. */
export function utf16leEncode(text: string): Uint8Array {
  const out = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    out[2 * i] = unit & 255;
    out[2 * i + 1] = unit >> 8;
  }
  return out;
}

/** UTF-16LE to text, code unit by code unit; null when the length is odd. */
export function utf16leDecode(bytes: Uint8Array): string | null {
  if (bytes.length % 2 !== 0) return null;
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 2) {
    parts.push(String.fromCharCode((bytes[i] as number) | ((bytes[i + 1] as number) << 8)));
  }
  return parts.join('');
}

/** One byte per character, for HTTP heads. A character above U+00FF becomes '?': callers refuse those first. */
export function latin1Encode(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    out[i] = unit > 255 ? 63 : unit;
  }
  return out;
}

/** The inverse of latin1Encode. */
export function latin1Decode(bytes: Uint8Array): string {
  const parts: string[] = [];
  const chunkBytes = 8192; // String.fromCharCode takes its characters as arguments, and the stack is finite
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    parts.push(String.fromCharCode(...bytes.subarray(start, start + chunkBytes)));
  }
  return parts.join('');
}

/** The first bytes of something unexpected, printable, for an error's evidence. */
export function printableStart(bytes: Uint8Array, limitBytes = 32): string {
  return latin1Decode(bytes.subarray(0, limitBytes)).replace(/[^\x20-\x7e]/g, '.');
}
