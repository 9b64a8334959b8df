import { readableLine, readableText } from '../http/evidence.ts';
import type { HttpResponse } from '../http/response.ts';

/** A proxy's own words: usually the only explanation a person will ever get. */
export function proxyWords(reply: HttpResponse): { status: number; via: string; proxyStatus: string; text: string } {
  return {
    status: reply.status,
    via: readableLine(reply.headers.get('Via')),
    // X-Squid-Error says what Proxy-Status (RFC 9209) says, in Squid's words: "ERR_CONNECT_FAIL 111"
    proxyStatus: readableLine(reply.headers.get('Proxy-Status') ?? reply.headers.get('X-Squid-Error')),
    text: readableText(reply.body) || readableLine(reply.reason),
  };
}
