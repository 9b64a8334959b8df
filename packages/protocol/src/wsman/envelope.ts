import { childOf, element, parseXml, type XmlElement, type XmlMarkup } from '../codec/xml.ts';
import { fail } from '../errors.ts';
import { ANONYMOUS, NAMESPACES } from './uris.ts';

/** The header of a request. [MS-WSMV] 2.2.3; DMTF DSP0226, section 5.4 */
export interface EnvelopeHeader {
  /** The URL as the person sees it, `a:To`. */
  readonly to: string;
  readonly action: string;
  readonly resourceUri: string;
  /** `uuid:` and an upper-case GUID; a new one for every attempt. */
  readonly messageId: string;
  /** Constant over the connections of one session. [MS-WSMV] 2.2.4.35 */
  readonly sessionId: string;
  /** How long the server may take before it says "nothing yet". */
  readonly operationTimeoutSeconds: number;
  readonly selectors: readonly (readonly [name: string, value: string])[];
  readonly options: readonly (readonly [name: string, value: string])[];
}

/** A reply, as far as it concerns everybody. */
export interface ReceivedEnvelope {
  /** `a:RelatesTo`; "" when the reply has none. */
  readonly relatesTo: string;
  readonly body: XmlElement;
}

/**
 * The largest reply we ask for. A server whose own limit is lower falls back to that one: [MS-WSMV] 3.1.4.1.7. It is
 * the default limit of Windows Server 2012 and later.
 */
export const MAX_REPLY_BYTES = 512_000;

/** The largest request every server takes unless it was told otherwise: MaxEnvelopeSizekb 150. [MS-WSMV] 2.2.4.10 */
export const DEFAULT_REQUEST_BYTES = 153_600;

/**
 * Writes a request.
 *
 * @throws misuse.bad-argument (bad-xml) for text that XML cannot carry
 */
export function encodeEnvelope(header: EnvelopeHeader, body: XmlMarkup | null): string {
  const must = { 's:mustUnderstand': 'true' };
  const english = { 'xml:lang': 'en-US', 's:mustUnderstand': 'false' };
  const parts = [
    element('a:To', {}, header.to),
    element('w:ResourceURI', must, header.resourceUri),
    element('a:ReplyTo', {}, element('a:Address', must, ANONYMOUS)),
    element('a:Action', must, header.action),
    element('w:MaxEnvelopeSize', must, String(MAX_REPLY_BYTES)),
    element('a:MessageID', {}, header.messageId),
    element('w:Locale', english),
    element('p:DataLocale', english),
    element('p:SessionId', { 's:mustUnderstand': 'false' }, header.sessionId),
    element('w:OperationTimeout', {}, `PT${header.operationTimeoutSeconds}S`),
  ];
  if (header.selectors.length > 0) {
    const selectors = header.selectors.map(([name, value]) => element('w:Selector', { Name: name }, value));
    parts.push(element('w:SelectorSet', {}, ...selectors));
  }
  if (header.options.length > 0) {
    const options = header.options.map(([name, value]) => element('w:Option', { Name: name }, value));
    parts.push(element('w:OptionSet', must, ...options));
  }
  return envelope(DECLARED, element('s:Header', {}, ...parts), body);
}

/** Writes Identify, which has no addressing. DMTF DSP0226, section 11 */
export function encodeIdentify(): string {
  const declared = { 'xmlns:s': NAMESPACES.s, 'xmlns:wsmid': NAMESPACES.wsmid };
  return envelope(declared, element('s:Header', {}), element('wsmid:Identify', {}));
}

/**
 * Reads a reply.
 *
 * @throws wsman.malformed
 */
export function decodeEnvelope(text: string): ReceivedEnvelope {
  const root = parseXml(text, malformed);
  if (root.uri !== NAMESPACES.s || root.local !== 'Envelope') malformed('not a SOAP 1.2 envelope');
  const body = childOf(root, NAMESPACES.s, 'Body') ?? malformed('an envelope without a body');
  const header = childOf(root, NAMESPACES.s, 'Header');
  const relatesTo = header && childOf(header, NAMESPACES.a, 'RelatesTo');
  return { relatesTo: relatesTo?.text.trim() ?? '', body };
}

/** A random GUID in upper case, as Windows writes it. RFC 9562, section 5.4 (version 4). */
export function newGuid(random: (length: number) => Uint8Array): string {
  const bytes = random(GUID_BYTES);
  const digits = [...bytes].map((byte, index) => {
    const fixed = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte;
    return fixed.toString(16).padStart(2, '0').toUpperCase();
  });
  return [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6, 8), digits.slice(8, 10), digits.slice(10)]
    .map((group) => group.join(''))
    .join('-');
}

function envelope(declared: Readonly<Record<string, string>>, header: XmlMarkup, body: XmlMarkup | null): string {
  const content = body === null ? [] : [body];
  return element('s:Envelope', declared, header, element('s:Body', {}, ...content)).xml;
}

function malformed(problem: string): never {
  return fail('wsman.malformed', { problem });
}

const GUID_BYTES = 16;

const DECLARED = {
  'xmlns:s': NAMESPACES.s,
  'xmlns:a': NAMESPACES.a,
  'xmlns:w': NAMESPACES.w,
  'xmlns:p': NAMESPACES.p,
  'xmlns:rsp': NAMESPACES.rsp,
};
