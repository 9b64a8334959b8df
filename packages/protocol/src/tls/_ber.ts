import { concatBytes } from '../bytes/bytes.ts';
import type { OnUnderrun } from '../bytes/cursor.ts';
import { derValue, MAX_DER_DEPTH } from '../codec/der.ts';

/**
 * Rewrites one BER value as DER as far as lengths and octet strings go: PKCS#12 files may use indefinite lengths and
 * octet strings in pieces (RFC 7292, section 4: BER), and some tools do. What lies inside an octet string is left alone.
 *
 * X.690, sections 8.1.3 and 8.7.3
 * @param onProblem throws; called for anything that is not one whole BER value
 */
export function derOfBer(bytes: Uint8Array, onProblem: OnUnderrun): Uint8Array {
  const { encoded, end } = rewrite(bytes, 0, 0, onProblem);
  if (end !== bytes.length) onProblem(`${bytes.length - end} bytes left over`);
  return encoded;
}

interface Rewritten {
  readonly tag: number;
  readonly encoded: Uint8Array;
  /** Content octets, joined if they came in pieces. */
  readonly content: Uint8Array;
  /** Where the next value begins. */
  readonly end: number;
}

function rewrite(bytes: Uint8Array, at: number, depth: number, onProblem: OnUnderrun): Rewritten {
  if (depth > MAX_DER_DEPTH) onProblem('nested too deeply');
  const tag = bytes[at] ?? onProblem('a value is cut off');
  if ((tag & 0x1f) === 0x1f) onProblem('a tag of several bytes');
  const { length, contentAt } = readLength(bytes, at + 1, onProblem);
  const isConstructed = (tag & 0x20) !== 0;
  if (!isConstructed) {
    if (length === null) return onProblem('a primitive value of indefinite length');
    const content = bytes.subarray(contentAt, contentAt + length);
    return { tag, encoded: derValue(tag, content), content, end: contentAt + length };
  }
  const { parts, end } = rewriteParts(bytes, contentAt, length, depth, onProblem);
  if (tag !== CONSTRUCTED_OCTET_STRING) {
    const content = concatBytes(...parts.map((part) => part.encoded));
    return { tag, encoded: derValue(tag, content), content, end };
  }
  if (parts.some((part) => part.tag !== OCTET_STRING)) onProblem('an octet string of other things');
  const content = concatBytes(...parts.map((part) => part.content));
  return { tag: OCTET_STRING, encoded: derValue(OCTET_STRING, content), content, end };
}

function rewriteParts(
  bytes: Uint8Array,
  contentAt: number,
  length: number | null,
  depth: number,
  onProblem: OnUnderrun,
): { parts: Rewritten[]; end: number } {
  const parts: Rewritten[] = [];
  let at = contentAt;
  const isAtEnd = (): boolean => (length === null ? bytes[at] === 0 && bytes[at + 1] === 0 : at >= contentAt + length);
  while (!isAtEnd()) {
    if (parts.length >= MAX_PARTS) onProblem('a value of too many parts');
    const part = rewrite(bytes, at, depth + 1, onProblem);
    parts.push(part);
    at = part.end;
  }
  if (length !== null && at !== contentAt + length) onProblem('a value runs past the one around it');
  return { parts, end: length === null ? at + 2 : at };
}

/** A length, or null for the indefinite form; a definite one must fit what is there. */
function readLength(
  bytes: Uint8Array,
  at: number,
  onProblem: OnUnderrun,
): { length: number | null; contentAt: number } {
  const first = bytes[at] ?? onProblem('a length is cut off');
  if (first === 0x80) return { length: null, contentAt: at + 1 };
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (count > 4) onProblem('a length of too many bytes');
  let length = first < 0x80 ? first : 0;
  for (let i = 1; i <= count; i++) length = length * 256 + (bytes[at + i] ?? onProblem('a length is cut off'));
  const contentAt = at + 1 + count;
  if (length > bytes.length - contentAt) onProblem('a value runs past the end');
  return { length, contentAt };
}

/** Parts of one value. An honest file has dozens; an octet string in pieces of 100 bytes still fits. */
const MAX_PARTS = 10_000;

const OCTET_STRING = 0x04;
const CONSTRUCTED_OCTET_STRING = 0x24;
