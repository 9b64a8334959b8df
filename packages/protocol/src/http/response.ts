import { latin1Encode, printableStart } from '../bytes/bytes.ts';
import { ReceiveBuffer } from '../bytes/receive-buffer.ts';
import { fail } from '../errors.ts';
import { BodyReader, declaredFraming, type Framing } from './body-reader.ts';
import { type Head, HeadReader } from './head.ts';
import type { Headers } from './headers.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';

export { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';

/** One response, whole. */
export interface HttpResponse {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  /** The reason phrase, "" when there was none. */
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Whether the connection may carry another request. RFC 9112, section 9.3. */
  readonly keepsConnection: boolean;
}

const VERSION_PREFIX = latin1Encode('HTTP/');

/**
 * Decodes the responses of one connection. Interim replies are skipped; bodies end by length, by chunks or with the
 * connection; a reply to HEAD and a 2xx reply to CONNECT have none, and what follows the latter's head is the tunnel's.
 *
 * RFC 9112, sections 4 to 8
 */
export class ResponseDecoder {
  readonly #limits: HttpLimits;
  readonly #buffer = new ReceiveBuffer();
  #method = '';
  #awaits: 'reply' | 'nothing' | 'tunnel' = 'reply';
  #isEnded = false;
  #isTruncated = false;
  #failure: unknown = null;
  #interimCount = 0;
  #hasReplied = false;
  #headReader: HeadReader;
  #open: { head: StatusHead; body: BodyReader } | null = null;

  constructor(limits: Partial<HttpLimits> = {}) {
    this.#limits = { ...DEFAULT_HTTP_LIMITS, ...limits };
    this.#headReader = new HeadReader(this.#limits, 'join');
  }

  /** Names the method of the request whose reply comes next: it decides whether there is a body. */
  expect(method: string): void {
    this.#method = method;
    this.#awaits = 'reply';
  }

  /** Stores bytes. Never throws; after an error they are dropped. */
  feed(bytes: Uint8Array): void {
    if (this.#failure === null) this.#buffer.append(bytes);
  }

  /**
   * No more bytes will come.
   * @param isTruncated somebody cut them off: then no body ends with the connection
   */
  feedEnd(isTruncated = false): void {
    this.#isEnded = true;
    this.#isTruncated = isTruncated;
  }

  /**
   * The next response, once it is whole. An end before a reply is an error only while one is expected; after the 2xx reply
   * to a CONNECT nothing more is read.
   * @throws http.malformed, http.too-large, http.closed-early, http.not-http; from then on always the same
   */
  next(): HttpResponse | 'need-bytes' {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#next();
    } catch (error) {
      this.#failure = error;
      this.#buffer.takeAll();
      throw error;
    }
  }

  /** The first of the bytes no response has used; takes nothing. */
  peekLeftover(limitBytes: number): Uint8Array {
    return this.#buffer.peek(limitBytes);
  }

  /** The bytes no response has used. */
  takeLeftover(): Uint8Array {
    return this.#buffer.takeAll();
  }

  #next(): HttpResponse | 'need-bytes' {
    if (this.#awaits === 'tunnel') return 'need-bytes';
    while (this.#open === null) {
      const head = this.#nextHead();
      if (head === 'need-bytes') return head;
      if (head.status === 101) fail('http.malformed', { where: 'status line', problem: 'unasked 101' });
      if (head.status >= 200) {
        this.#open = { head, body: new BodyReader(framingOf(head, this.#method), this.#limits) };
      } else if (++this.#interimCount > this.#limits.interimCount) {
        fail('http.malformed', { where: 'status line', problem: 'too many interim replies' });
      }
    }
    const { head, body } = this.#open;
    const read = body.next(this.#buffer, this.#isEnded, this.#isTruncated);
    if (read === 'need-bytes') return read;
    this.#open = null;
    this.#hasReplied = true;
    this.#interimCount = 0;
    const { status, reason, version, headers } = head;
    this.#awaits = isTunnel(head, this.#method) ? 'tunnel' : 'nothing';
    const keepsConnection = !read.isCut && framingOf(head, this.#method).by !== 'close' && announcesKeeping(head);
    return { version, status, reason, headers, body: read.bytes, keepsConnection };
  }

  #nextHead(): StatusHead | 'need-bytes' {
    if (!this.#headReader.hasBegun) this.#requireHttp();
    const head = this.#headReader.next(this.#buffer);
    if (head !== 'need-bytes') {
      this.#headReader = new HeadReader(this.#limits, 'join');
      return parseStatusLine(head);
    }
    if (!this.#isEnded) return head;
    const isMiddle = this.#headReader.hasBegun || this.#buffer.length > 0;
    if (!isMiddle && this.#awaits === 'nothing') return head;
    fail('http.closed-early', { where: isMiddle ? 'head' : 'reply' });
  }

  /**
   * The first five bytes tell a web server from everything else that listens on a port. What has answered once is one, so
   * anything else after that was put into its answers, or lost from them.
   */
  #requireHttp(): void {
    for (let i = 0; i < VERSION_PREFIX.length; i++) {
      const byte = this.#buffer.byteAt(i);
      if (byte === -1) return;
      if (byte !== VERSION_PREFIX[i]) {
        const startsWith = printableStart(this.#buffer.peek(32));
        if (this.#hasReplied) fail('http.malformed', { where: 'status line', problem: startsWith });
        fail('http.not-http', { startsWith });
      }
    }
  }
}

interface StatusHead {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
}

/** RFC 9112, section 4. A later minor version is read as 1.1, as RFC 9110, section 2.5 asks. */
function parseStatusLine(head: Head): StatusHead {
  const parts = /^HTTP\/1\.([0-9]) ([1-9][0-9]{2})(?: (.*))?$/.exec(head.startLine);
  if (parts === null) fail('http.malformed', { where: 'status line', problem: printable(head.startLine) });
  const version = parts[1] === '0' ? '1.0' : '1.1';
  return { version, status: Number(parts[2]), reason: printable(parts[3] ?? ''), headers: head.headers };
}

function printable(text: string): string {
  return printableStart(latin1Encode(text), 128);
}

/** RFC 9112, section 6.3, rules 1 to 8 in that order. */
function framingOf(head: StatusHead, method: string): Framing {
  if (isTunnel(head, method)) return { by: 'length', bytes: 0 }; // SPEC: RFC 9110, 9.3.6: lengths in a 2xx to CONNECT are ignored
  const declared = declaredFraming(head.headers, head.version);
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return { by: 'length', bytes: 0 };
  return declared ?? { by: 'close' };
}

function isTunnel(head: StatusHead, method: string): boolean {
  return method === 'CONNECT' && head.status >= 200 && head.status < 300;
}

function announcesKeeping(head: StatusHead): boolean {
  // QUIRK: HTTP/1.0 proxies (Squid 2, and many appliances since) answer in Proxy-Connection; reading "close" there too
  // costs at worst a connection. Held by response.test.ts.
  const names = ['Connection', 'Proxy-Connection'];
  if (names.some((name) => head.headers.hasWord(name, 'close'))) return false;
  return head.version === '1.1' || names.some((name) => head.headers.hasWord(name, 'keep-alive'));
}
