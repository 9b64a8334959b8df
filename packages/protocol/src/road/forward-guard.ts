import { latin1Decode, NO_BYTES } from '../bytes/bytes.ts';
import { ReceiveBuffer } from '../bytes/receive-buffer.ts';
import type { Address } from '../bytes/stream.ts';
import { fail, isWinRmError } from '../errors.ts';
import { HeadReader } from '../http/head.ts';
import type { Headers } from '../http/headers.ts';
import { DEFAULT_HTTP_LIMITS } from '../http/limits.ts';
import { parseRequestHead, type RequestHead } from '../http/request-decoder.ts';
import { isHost, splitAuthority } from './authority.ts';

/** Everything a request of ours carries. A field that is not here might mean something to a proxy that we do not know. */
const KNOWN_FIELDS = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'host',
  'proxy-connection',
  'user-agent',
];

/** Schemes that proxies pin a connection to. CredSSP they do not, and Basic would show the password. */
const PINNED_SCHEME = /^(?:Negotiate|NTLM|Kerberos) [A-Za-z0-9+/]+={0,2}$/;

const TARGET = /^http:\/\/([^/?#@\\]+)(\/wsman(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*(?:\?[A-Za-z0-9._~=&-]*)?)$/;

const SEALED_PROTOCOL = 'application/HTTP-(?:SPNEGO|Kerberos|CredSSP)-session-encrypted';

/** [MS-WSMV] 2.2.9.1.1: quotes and blanks vary from peer to peer, the words do not. */
const SEALED_TYPE = new RegExp(
  `^multipart/(?:encrypted|x-multi-encrypted) *; *protocol="?${SEALED_PROTOCOL}"? *; *boundary="?Encrypted Boundary"?$`,
  'i',
);

/** [MS-WSMV] 2.2.9.1.1.2.1, with and without the leading tab. */
const SEALED_BEGINNING = new RegExp(
  `^--Encrypted Boundary\\r\\n[\\t ]*Content-Type: *${SEALED_PROTOCOL}\\r\\n` +
    '[\\t ]*OriginalContent: *type=application/soap\\+xml;charset=UTF-(?:8|16);Length=[0-9]{1,9}\\r\\n' +
    '--Encrypted Boundary\\r\\n[\\t ]*Content-Type: *application/octet-stream\\r\\n',
  'i',
);

/** A whole beginning is about 220 bytes; the pattern is found in so many or never. */
const BEGINNING_BYTES = 512;

/** No other word: "Connection: Host" would make a proxy drop the Host that was judged. RFC 9110, section 7.6.1 */
const KEEPING = /^(?:keep-alive|close)$/i;

/**
 * Watches the bytes that go up a plain-HTTP road, where the next proxy reads every request: only requests for the one
 * allowed authority pass, and only with a sealed body or none. What passes is not changed by a byte, and nothing of a
 * request passes before its head, and the beginning of its body, have been judged. The judgement is an allow-list;
 * whatever two readers might understand differently is refused.
 *
 * RFC 9112, sections 3.2.2, 6.3 and 11.2
 * INVARIANT: at most one head and what came with it, or BEGINNING_BYTES of a body, are held back.
 */
export class ForwardGuard {
  readonly #allowed: Address;
  readonly #unread = new ReceiveBuffer();
  readonly #held = new ReceiveBuffer();
  readonly #beginning = new ReceiveBuffer();
  #headReader = new HeadReader(DEFAULT_HTTP_LIMITS, 'refuse');
  #isInBody = false;
  #bodyBytesLeft = 0;
  #beginningBytesWanted = 0;
  #isRefused = false;

  /** @param allowed the target of the road; host as in `Address`, compared without regard to case */
  constructor(allowed: Address) {
    this.#allowed = { host: allowed.host.toLowerCase(), port: allowed.port };
  }

  /**
   * Takes bytes from the tab and returns those that may go on now: unchanged, in order, possibly none.
   * @throws proxy.forward-refused; from then on always
   */
  feed(bytes: Uint8Array): Uint8Array {
    if (this.#isRefused) refuse('after a refusal');
    try {
      return this.#isInBody ? this.#feedBody(bytes) : this.#feedHead(bytes);
    } catch (error) {
      this.#isRefused = true;
      for (const buffer of [this.#unread, this.#held, this.#beginning]) buffer.takeAll();
      if (isWinRmError(error, 'http.malformed')) refuse(`${error.details.where}: ${error.details.problem}`);
      if (isWinRmError(error, 'http.too-large')) refuse(`${error.details.where} too large`);
      throw error;
    }
  }

  #feedHead(bytes: Uint8Array): Uint8Array {
    this.#unread.append(bytes);
    this.#held.append(bytes);
    const head = this.#headReader.next(this.#unread);
    if (head === 'need-bytes') return NO_BYTES;
    this.#headReader = new HeadReader(DEFAULT_HTTP_LIMITS, 'refuse');
    this.#bodyBytesLeft = judgeHead(parseRequestHead(head), this.#allowed);
    this.#beginningBytesWanted = Math.min(this.#bodyBytesLeft, BEGINNING_BYTES);
    this.#isInBody = true;
    return this.#passBody(this.#unread.takeAll());
  }

  #feedBody(bytes: Uint8Array): Uint8Array {
    this.#held.append(bytes);
    return this.#passBody(bytes);
  }

  /** @param bytes the next of the body, already held */
  #passBody(bytes: Uint8Array): Uint8Array {
    // A client that waits for each reply has nothing more to say; what follows was written to be read by someone else.
    if (bytes.length > this.#bodyBytesLeft) refuse('bytes after the request');
    this.#bodyBytesLeft -= bytes.length;
    if (this.#beginningBytesWanted > 0) {
      this.#beginning.append(bytes.subarray(0, this.#beginningBytesWanted - this.#beginning.length));
      if (this.#beginning.length < this.#beginningBytesWanted) return NO_BYTES;
      this.#beginningBytesWanted = 0;
      if (!SEALED_BEGINNING.test(latin1Decode(this.#beginning.takeAll()))) refuse('body is not sealed');
    }
    this.#isInBody = this.#bodyBytesLeft > 0;
    return this.#held.takeAll();
  }
}

/** Judges a head and returns the length of the body that belongs to it. */
function judgeHead(head: RequestHead, allowed: Address): number {
  if (head.method !== 'POST') refuse('method');
  if (head.version !== '1.1') refuse('version');
  const authority = TARGET.exec(head.target)?.[1];
  if (authority === undefined) refuse('target');
  if (!isAllowed(authority, allowed)) refuse('authority');
  judgeFields(head.headers);
  if (!isAllowed(head.headers.get('Host') ?? '', allowed)) refuse('Host');
  const length = head.headers.get('Content-Length') ?? '';
  if (!/^(?:0|[1-9][0-9]{0,7})$/.test(length)) refuse('Content-Length');
  const bodyBytes = Number(length);
  if (bodyBytes > DEFAULT_HTTP_LIMITS.bodyBytes) refuse('body too large');
  if (bodyBytes > 0 && !SEALED_TYPE.test(head.headers.get('Content-Type') ?? '')) refuse('body is not sealed');
  return bodyBytes;
}

function judgeFields(headers: Headers): void {
  const seen = new Set<string>();
  for (const [name] of headers.entries()) {
    const field = name.toLowerCase();
    if (!KNOWN_FIELDS.includes(field)) refuse('unknown field');
    if (seen.has(field)) refuse('field given twice'); // one reader takes the first, another the last
    seen.add(field);
  }
  const authorization = headers.get('Authorization');
  if (authorization !== null && !PINNED_SCHEME.test(authorization)) refuse('authentication scheme');
  for (const name of ['Connection', 'Proxy-Connection']) {
    const value = headers.get(name);
    if (value !== null && !KEEPING.test(value)) refuse(name);
  }
}

function isAllowed(authority: string, allowed: Address): boolean {
  const parts = splitAuthority(authority);
  if (parts === null || !isHost(parts.host)) return false;
  const isPortGood = parts.port === null ? allowed.port === 80 : parts.port === String(allowed.port);
  return isPortGood && parts.host.toLowerCase() === allowed.host;
}

function refuse(problem: string): never {
  fail('proxy.forward-refused', { problem });
}
