import { concatBytes, latin1Encode } from '../bytes/bytes.ts';
import { fail } from '../errors.ts';
import { type Headers, TOKEN } from './headers.ts';

/** One request, whole. */
export interface HttpRequest {
  readonly method: string;
  /** Origin form ("/wsman"), absolute form ("http://host:5985/wsman") or authority form ("host:5985"), as sent. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** RFC 3986: nothing but visible ASCII, so the request line keeps its three parts. */
const TARGET = /^[\x21-\x7e]{1,8000}$/;

/**
 * Writes a request of HTTP/1.1. Content-Length is added where there is a body or the method is POST; a request here is
 * never chunked.
 *
 * RFC 9112, sections 3 and 6
 * @throws misuse.bad-argument for a method or target that would break the request line, for Transfer-Encoding, and for
 *   a Content-Length that is not the body's
 */
export function encodeRequest(request: HttpRequest): Uint8Array {
  if (!TOKEN.test(request.method)) fail('misuse.bad-argument', { argument: 'method', reason: 'malformed' });
  if (!TARGET.test(request.target)) fail('misuse.bad-argument', { argument: 'request target', reason: 'malformed' });
  const length = String(request.body.length);
  const declared = request.headers.getAll('Content-Length');
  if (request.headers.has('Transfer-Encoding') || declared.some((value) => value !== length) || declared.length > 1) {
    fail('misuse.bad-argument', { argument: 'header', reason: 'bad-header' });
  }
  const lines = [`${request.method} ${request.target} HTTP/1.1`];
  for (const [name, value] of request.headers.entries()) lines.push(`${name}: ${value}`);
  const needsLength = request.body.length > 0 || request.method === 'POST';
  if (needsLength && declared.length === 0) lines.push(`Content-Length: ${length}`);
  return concatBytes(latin1Encode(`${lines.join('\r\n')}\r\n\r\n`), request.body);
}
