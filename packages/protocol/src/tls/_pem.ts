import { fromBase64, latin1Decode } from '../bytes/bytes.ts';
import type { OnUnderrun } from '../bytes/cursor.ts';

/** One block of a PEM text. RFC 7468 */
export interface PemBlock {
  /** "CERTIFICATE", "PRIVATE KEY", … */
  readonly label: string;
  readonly bytes: Uint8Array;
  /** Whether it has header lines, as keys encrypted the old way do. RFC 1421, section 4.6 */
  readonly hasHeaders: boolean;
}

const MAX_BLOCKS = 500;

/** Whether the bytes look like PEM rather than DER. */
export function isPem(bytes: Uint8Array): boolean {
  return latin1Decode(bytes.subarray(0, 256 * 1024)).includes('-----BEGIN ');
}

/** The blocks of a text; what stands between them is a comment. */
export function readPem(bytes: Uint8Array, onProblem: OnUnderrun): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { label: string; lines: string[]; hasHeaders: boolean } | null = null;
  for (const line of latin1Decode(bytes).split(/\r\n|\n|\r/)) {
    const text = line.trim();
    const begin = /^-----BEGIN ([A-Z0-9 ]{1,64})-----$/.exec(text);
    if (open === null) {
      if (begin !== null) open = { label: begin[1] as string, lines: [], hasHeaders: false };
      continue;
    }
    if (begin !== null) return onProblem(`the block ${open.label} does not end`);
    if (text !== `-----END ${open.label}-----`) {
      if (text.includes(':')) open.hasHeaders = true;
      else open.lines.push(text);
      continue;
    }
    if (blocks.length >= MAX_BLOCKS) return onProblem('too many blocks');
    const decoded: Uint8Array = fromBase64(open.lines.join('')) ?? onProblem(`the block ${open.label} is not base64`);
    blocks.push({ label: open.label, bytes: decoded, hasHeaders: open.hasHeaders });
    open = null;
  }
  return open === null ? blocks : onProblem(`the block ${open.label} does not end`);
}
