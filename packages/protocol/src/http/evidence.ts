import { utf8Decode } from '../bytes/bytes.ts';
import type { Headers } from './headers.ts';
import type { HttpResponse } from './response.ts';

/** What is kept of a page that refuses: usually the only explanation a person will ever get, and it fits a screen. */
export const MAX_EVIDENCE_CHARACTERS = 2048;

/** Elements whose content no reader of the page sees. */
const HIDDEN_ELEMENTS = ['style', 'script', 'head', 'title'];

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ', '#39': "'" };

/**
 * The words of a page, for a person and for a log: tags, comments, style sheets and control characters dropped, blanks
 * joined, at most MAX_EVIDENCE_CHARACTERS. The result is text; whoever shows it must not read it as markup.
 */
export function readableText(body: Uint8Array): string {
  const page = utf8Decode(body);
  const words = isMarkup(page) ? decodeEntities(withoutTags(page)) : page;
  return clean(words);
}

/** A field's value or a reason phrase, made safe to show. */
export function readableLine(text: string | null): string {
  return clean(text ?? '').slice(0, 256);
}

/**
 * What a reply says of the proxies it came through: its Via, or the first other field that only proxies write, with its
 * name. "" when it says nothing. RFC 9110, section 7.6.3; RFC 9209, section 2
 */
export function proxyTrace(headers: Headers): string {
  const via = readableLine(headers.get('Via'));
  if (via !== '') return via;
  const name = PROXY_FIELDS.find((field) => headers.has(field));
  return name === undefined ? '' : readableLine(`${name}: ${headers.get(name)}`);
}

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

/** Squid and its kin sign their work, also where `via off` is set. */
const PROXY_FIELDS = ['Proxy-Status', 'Proxy-Connection', 'Proxy-Support', 'X-Squid-Error', 'X-Cache'];

function clean(text: string): string {
  const shown = text.replace(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffd]+/gu, ' ').trim();
  return Array.from(shown.slice(0, MAX_EVIDENCE_CHARACTERS * 2))
    .slice(0, MAX_EVIDENCE_CHARACTERS)
    .join('');
}

/** Whether bytes begin as a page does, and as nothing else that is spoken on a road. */
export function beginsLikePage(bytes: Uint8Array): boolean {
  return /^\ufeff?\s*<[a-z!?]/i.test(utf8Decode(bytes.subarray(0, 64)));
}

function isMarkup(page: string): boolean {
  return /<[a-z!/]/i.test(page);
}

/** One pass from left to right, so that no page can make it slow. */
function withoutTags(page: string): string {
  const lower = page.toLowerCase();
  const parts: string[] = [];
  let at = 0;
  while (at < page.length) {
    const open = page.indexOf('<', at);
    if (open < 0) {
      parts.push(page.slice(at));
      break;
    }
    parts.push(page.slice(at, open), ' ');
    at = endOfMarkup(lower, open);
  }
  return parts.join('');
}

/** Where the text goes on after the markup that begins here; at the end of the page if it never ends. */
function endOfMarkup(lower: string, open: number): number {
  if (lower.startsWith('<!--', open)) return after(lower, '-->', open);
  const hidden = HIDDEN_ELEMENTS.find((name) => new RegExp(`^<${name}[\\s>]`).test(lower.slice(open, open + 9)));
  const from = hidden === undefined ? open : after(lower, `</${hidden}`, open);
  return after(lower, '>', from);
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at + mark.length;
}

function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|nbsp|#39);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
