import { latin1Decode } from '../bytes/bytes.ts';
import type { ReceiveBuffer } from '../bytes/receive-buffer.ts';
import { fail } from '../errors.ts';
import { Headers, TOKEN, trimBlanks } from './headers.ts';
import type { HttpLimits } from './limits.ts';

/** A start line, still whole, and the fields after it. */
export interface Head {
  readonly startLine: string;
  readonly headers: Headers;
  /** Bytes it took on the wire, the blank line included. */
  readonly wireBytes: number;
}

const CARRIAGE_RETURN = 13;

/**
 * Reads one head line by line. Stricter than it need be, because a head that two readers understand differently is how
 * requests are smuggled: every line ends in CRLF, NUL and lone CR are refused, no blank may stand before a colon.
 *
 * RFC 9112, sections 2.2 and 5
 */
export class HeadReader {
  readonly #limits: HttpLimits;
  readonly #folding: 'join' | 'refuse';
  readonly #lines: string[] = [];
  #wireBytes = 0;

  /** @param folding a client joins folded lines and a server refuses them: RFC 9112, section 5.2 */
  constructor(limits: HttpLimits, folding: 'join' | 'refuse') {
    this.#limits = limits;
    this.#folding = folding;
  }

  /** Whether a line has been taken already; an end of stream is then one in the middle. */
  get hasBegun(): boolean {
    return this.#wireBytes > 0;
  }

  /** @throws http.malformed, http.too-large */
  next(buffer: ReceiveBuffer): Head | 'need-bytes' {
    for (;;) {
      const line = buffer.takeLine();
      const heldBytes = this.#wireBytes + (line === null ? buffer.length : line.length + 1);
      if (heldBytes > this.#limits.headBytes) {
        fail('http.too-large', { where: 'head', limitBytes: this.#limits.headBytes });
      }
      if (line === null) return 'need-bytes';
      this.#wireBytes = heldBytes;
      const text = checkedLine(line);
      if (text === '') return this.#finish();
      this.#add(text);
    }
  }

  #add(text: string): void {
    const isFolded = text.startsWith(' ') || text.startsWith('\t');
    if (!isFolded) {
      if (this.#lines.length > this.#limits.headerCount) malformed('too many fields');
      this.#lines.push(text);
      return;
    }
    const last = this.#lines.pop();
    if (this.#folding === 'refuse' || last === undefined || this.#lines.length === 0) malformed('folded line');
    this.#lines.push(`${last} ${trimBlanks(text)}`);
  }

  #finish(): Head {
    const [startLine, ...fields] = this.#lines;
    if (startLine === undefined) malformed('no start line');
    return { startLine, headers: parseFields(fields), wireBytes: this.#wireBytes };
  }
}

function checkedLine(line: Uint8Array): string {
  if (line[line.length - 1] !== CARRIAGE_RETURN) malformed('line without CR');
  const text = latin1Decode(line.subarray(0, -1));
  if (text.includes('\0')) malformed('NUL');
  if (text.includes('\r')) malformed('CR without LF');
  return text;
}

function parseFields(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (!TOKEN.test(name)) malformed('field name');
    headers.append(name, line.slice(colon + 1));
  }
  return headers;
}

function malformed(problem: string): never {
  fail('http.malformed', { where: 'head', problem });
}
