import { concatBytes, equalBytes, latin1Decode, latin1Encode, utf8Encode } from '../bytes/bytes.ts';
import { fail } from '../errors.ts';

/**
 * WinRM's multipart framing, which is no MIME: no blank line behind a part's headers, no line break before a boundary.
 * [MS-WSMV] 2.2.9.1
 */

/** One sealed piece of an envelope. */
export interface SealedPart {
  /** Octets of the plaintext, padding included. */
  readonly declaredBytes: number;
  /** The mechanism's own header: its signature, or its per-message token. */
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** The part's protocol, as the content type and the part's first header say it. */
export type SealProtocol = 'SPNEGO' | 'Kerberos' | 'CredSSP';

/** Longest header a mechanism we know writes: NTLM 16, Kerberos 72. */
const MAX_SIGNATURE_BYTES = 256;

/** Longest line and most lines of a part's headers; two lines of sixty characters are usual. */
const MAX_LINE_BYTES = 1024;
const MAX_PART_LINES = 16;
const BOUNDARY = 'Encrypted Boundary';
/** RFC 2046, section 5.1.1. */
const MAX_BOUNDARY_CHARACTERS = 70;
const DASHES = Uint8Array.of(0x2d, 0x2d);
const [HT, LF, CR, SPACE] = [0x09, 0x0a, 0x0d, 0x20] as const;

/** The media type of a part, and of the content type's `protocol`. */
export function protocolName(protocol: SealProtocol): string {
  return `application/HTTP-${protocol}-session-encrypted`;
}

/** The content type of a sealed body: another word when CredSSP had to cut it in pieces. [MS-WSMV] 2.2.9.1 */
export function sealedContentType(protocol: SealProtocol, partCount: number): string {
  const type = partCount > 1 ? 'multipart/x-multi-encrypted' : 'multipart/encrypted';
  return `${type};protocol="${protocolName(protocol)}";boundary="${BOUNDARY}"`;
}

/**
 * Writes a sealed body: one closing boundary at the end, then CRLF.
 *
 * QUIRK: [MS-WSMV] 2.2.9.1.1.2.2 wants a TAB before each part's headers. OMI compares the start of the line and takes
 * such a line for no header at all; Windows reads both forms. So `lead` is empty but where a test plays Windows.
 */
export function encodeSealedBody(
  protocol: SealProtocol,
  parts: readonly SealedPart[],
  lead: '' | '\t' = '',
): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const { declaredBytes, header, body } of parts) {
    const head =
      `--${BOUNDARY}\r\n` +
      `${lead}Content-Type: ${protocolName(protocol)}\r\n` +
      `${lead}OriginalContent: type=application/soap+xml;charset=UTF-8;Length=${declaredBytes}\r\n` +
      `--${BOUNDARY}\r\n` +
      `${lead}Content-Type: application/octet-stream\r\n`;
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, header.length, true);
    pieces.push(utf8Encode(head), length, header, body);
  }
  return concatBytes(...pieces, utf8Encode(`--${BOUNDARY}--\r\n`));
}

/**
 * Reads a sealed body, as tolerant as its writers differ.
 *
 * QUIRK: Exchange and IIS begin with `-- Encrypted Boundary` though the header has no blank: the first line counts, not
 * the header. Part headers come with a TAB (Windows) and without (OMI). Some peers close after every part. OMI ends with
 * one CRLF too many.
 * @throws seal.malformed, seal.unsupported
 */
export function decodeSealedBody(protocol: SealProtocol, body: Uint8Array): SealedPart[] {
  const scanner = new Scanner(body);
  const parts: SealedPart[] = [];
  do parts.push(scanner.part(protocol));
  while (!scanner.isAtEnd());
  return parts;
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #boundary: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const first = this.#line();
    const text = first.slice(2).trim();
    if (!first.startsWith('--') || text === '' || text.length > MAX_BOUNDARY_CHARACTERS)
      malformed('the first line is no boundary');
    this.#boundary = latin1Encode(text);
    this.#at = 0;
  }

  part(protocol: SealProtocol): SealedPart {
    this.#expectOpening();
    const declaredBytes = this.#partHeaders(protocol);
    this.#expectOpening();
    if (!/^content-type:\s*application\/octet-stream\s*$/i.test(this.#line().trim()))
      malformed('the second part is no octet-stream');
    const signatureBytes = this.#u32le();
    if (signatureBytes === 0 || signatureBytes > MAX_SIGNATURE_BYTES)
      malformed(`a signature of ${signatureBytes} bytes`);
    const header = this.#take(signatureBytes);
    const body = this.#take(this.#bodyBytes(declaredBytes));
    this.#skipLineEnd();
    return { declaredBytes, header, body };
  }

  /** Whether only the closing boundary and padding are left; else stands at the next part's first boundary. */
  isAtEnd(): boolean {
    const afterBoundary = this.#boundaryEnd(this.#at) ?? malformed('no boundary behind the sealed part');
    if (!startsWithAt(this.#bytes, DASHES, afterBoundary)) return false;
    const tail = this.#bytes.subarray(afterBoundary + DASHES.length);
    if (tail.every(isPadding)) return true;
    this.#at = afterBoundary + DASHES.length;
    this.#skipLineEnd();
    return false;
  }

  /** Reads up to the second boundary; gives `Length`. */
  #partHeaders(protocol: SealProtocol): number {
    let declared: number | null = null;
    for (let count = 0; this.#boundaryEnd(this.#at) === null; count++) {
      if (count === MAX_PART_LINES) malformed('too many part headers');
      const line = this.#line().trim();
      const type = /^content-type:\s*(\S+)/i.exec(line)?.[1];
      if (type?.toLowerCase() === 'application/octet-stream') malformed('no boundary between the parts');
      if (type !== undefined && type.toLowerCase() !== protocolName(protocol).toLowerCase())
        fail('seal.unsupported', { protocol: type.slice(0, 100) });
      const length = /\bLength=(\d{1,10})(?!\d)/i.exec(line)?.[1];
      if (length !== undefined) declared = Number(length);
    }
    return declared ?? malformed('no Length');
  }

  /**
   * How long the ciphertext is: as long as `Length` says when a boundary follows there, for a boundary could stand in the
   * ciphertext by chance. Else up to the first boundary: the plaintext will not be as long as declared, and unsealing
   * says so once it knows the bytes are genuine.
   */
  #bodyBytes(declaredBytes: number): number {
    const end = this.#at + declaredBytes;
    // winrm-rs writes a line break before the closing boundary
    if (this.#boundaryEnd(end) !== null || (this.#isLineEnd(end) && this.#boundaryEnd(end + 2) !== null))
      return declaredBytes;
    for (let at = this.#at; at < this.#bytes.length; at++) {
      at = this.#bytes.indexOf(DASHES[0] as number, at);
      if (at < 0) break;
      if (this.#boundaryEnd(at) !== null) return at - this.#at;
    }
    return malformed('no boundary behind the sealed part');
  }

  #expectOpening(): void {
    const end = this.#boundaryEnd(this.#at) ?? malformed('no boundary where a part begins');
    if (!this.#isLineEnd(end)) malformed('a boundary that ends no line');
    this.#at = end + 2;
  }

  /** Offset behind the dashes, blanks and text of a boundary that begins at `at`, or null when none does. */
  #boundaryEnd(at: number): number | null {
    if (!startsWithAt(this.#bytes, DASHES, at)) return null;
    let text = at + DASHES.length;
    while (this.#bytes[text] === SPACE || this.#bytes[text] === HT) text++;
    return startsWithAt(this.#bytes, this.#boundary, text) ? text + this.#boundary.length : null;
  }

  /** The line at hand, without its CRLF. */
  #line(): string {
    const limit = Math.min(this.#bytes.length, this.#at + MAX_LINE_BYTES);
    const end = this.#bytes.subarray(0, limit).indexOf(LF, this.#at);
    if (end < 0) malformed('a line that does not end');
    const text = latin1Decode(this.#bytes.subarray(this.#at, end));
    if (!text.endsWith('\r')) malformed('a line that does not end in CRLF');
    this.#at = end + 1;
    return text.slice(0, -1);
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) malformed('cut off');
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  #u32le(): number {
    const bytes = this.#take(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  #isLineEnd(at: number): boolean {
    return this.#bytes[at] === CR && this.#bytes[at + 1] === LF;
  }

  #skipLineEnd(): void {
    if (this.#isLineEnd(this.#at)) this.#at += 2;
  }
}

function startsWithAt(bytes: Uint8Array, wanted: Uint8Array, at: number): boolean {
  return equalBytes(bytes.subarray(at, at + wanted.length), wanted);
}

function isPadding(byte: number): boolean {
  return byte === CR || byte === LF || byte === 0;
}

function malformed(problem: string): never {
  fail('seal.malformed', { problem });
}
