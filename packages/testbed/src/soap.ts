import { randomUUID } from 'node:crypto';
import {
  attributeOf,
  childOf,
  childrenOf,
  escapeXml,
  isXmlText,
  parseXml,
  type XmlElement,
} from '../../protocol/src/codec/xml.ts';
import { ANONYMOUS, NAMESPACES } from '../../protocol/src/wsman/uris.ts';
import { faults, type SoapFault } from './soap-fault.ts';

/** A request envelope, taken apart. */
export interface SoapRequest {
  readonly messageId: string;
  readonly action: string;
  readonly resourceUri: string;
  /** Milliseconds the client allows; null when it does not say. */
  readonly timeoutMs: number | null;
  /** Bytes a reply may have; null when it does not say. */
  readonly maxEnvelopeBytes: number | null;
  /** The selector ShellId, or null. */
  readonly shellId: string | null;
  readonly body: XmlElement;
}

/** Reads a request. DMTF DSP0226, section 5. @throws SoapFault when it is no envelope */
export function readRequest(text: string): SoapRequest {
  const root = parseXml(text, (problem) => {
    throw faults.badSchema(problem);
  });
  const header = childOf(root, NAMESPACES.s, 'Header');
  const body = childOf(root, NAMESPACES.s, 'Body');
  if (root.uri !== NAMESPACES.s || root.local !== 'Envelope' || body === null) throw faults.badSchema('no Envelope');
  const headerText = (uri: string, local: string): string =>
    (header === null ? null : childOf(header, uri, local))?.text.trim() ?? '';
  const size = headerText(NAMESPACES.w, 'MaxEnvelopeSize');
  return {
    messageId: headerText(NAMESPACES.a, 'MessageID'),
    action: headerText(NAMESPACES.a, 'Action'),
    resourceUri: headerText(NAMESPACES.w, 'ResourceURI'),
    timeoutMs: durationMs(headerText(NAMESPACES.w, 'OperationTimeout')),
    maxEnvelopeBytes: /^\d{1,9}$/.test(size) ? Number(size) : null,
    shellId: header === null ? null : selector(header, 'ShellId'),
    body,
  };
}

/** Whether the request asks who this is. DMTF DSP0226, section 11 */
export function isIdentify(request: SoapRequest): boolean {
  return childOf(request.body, NAMESPACES.wsmid, 'Identify') !== null;
}

/** Selector names differ in case between clients: ShellId, ShellID. */
function selector(header: XmlElement, name: string): string | null {
  const set = childOf(header, NAMESPACES.w, 'SelectorSet');
  const found = (set === null ? [] : childrenOf(set, NAMESPACES.w, 'Selector')).find(
    (each) => attributeOf(each, 'Name')?.toLowerCase() === name.toLowerCase(),
  );
  return found?.text.trim() ?? null;
}

/** xs:duration without years and months, in milliseconds; null when it is none. XML Schema Part 2, section 3.2.6 */
export function durationMs(text: string): number | null {
  const match = /^P(?:(\d{1,4})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$/.exec(text);
  if (match === null || text === 'P' || text.endsWith('T')) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
}

/** Writes a reply. @param body finished markup */
export function writeEnvelope(action: string, relatesTo: string, body: string): string {
  const spaces = Object.entries(DECLARED).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`);
  return (
    `<s:Envelope xml:lang="en-US"${spaces.join('')}><s:Header><a:Action>${escapeAnything(action)}</a:Action>` +
    `<a:MessageID>uuid:${newId()}</a:MessageID><a:To>${ANONYMOUS}</a:To>` +
    `<a:RelatesTo>${escapeAnything(relatesTo)}</a:RelatesTo></s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

/** Writes a fault. DMTF DSP0226, section 14.1; [MS-WSMV] 2.2.4.43 WSManFaultType */
export function writeFault(fault: SoapFault, relatesTo: string): string {
  const text = escapeAnything(fault.message);
  return writeEnvelope(
    `${DMTF_WSMAN}/fault`,
    relatesTo,
    `<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>${fault.subcode}</s:Value></s:Subcode></s:Code>` +
      `<s:Reason><s:Text xml:lang="en-US">${text}</s:Text></s:Reason><s:Detail>` +
      `<f:WSManFault xmlns:f="${NAMESPACES.f}" Code="${fault.code}" Machine="localhost">` +
      `<f:Message>${text}</f:Message></f:WSManFault></s:Detail></s:Fault>`,
  );
}

/** The answer to Identify, which has no addressing headers. The version is told to those who signed in. */
export function writeIdentity(isSignedIn: boolean): string {
  const version = isSignedIn ? 'OS: Linux, Fairlead testbed SP: 0.0 Stack: 3.0' : 'OS: 0.0.0 SP: 0.0 Stack: 3.0';
  return (
    `<s:Envelope xml:lang="en-US" xmlns:s="${NAMESPACES.s}"><s:Header/><s:Body>` +
    `<wsmid:IdentifyResponse xmlns:wsmid="${NAMESPACES.wsmid}">` +
    `<wsmid:ProtocolVersion>${NAMESPACES.w}</wsmid:ProtocolVersion>` +
    '<wsmid:ProductVendor>Fairlead testbed, not Microsoft</wsmid:ProductVendor>' +
    `<wsmid:ProductVersion>${version}</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>`
  );
}

/** Text that may hold anything, as content or attribute; what XML cannot carry becomes U+FFFD. */
export function escapeAnything(text: string): string {
  return escapeXml(
    isXmlText(text) ? text : text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd'),
  );
}

/** An identifier as Windows writes it: upper-case GUID. */
export function newId(): string {
  return randomUUID().toUpperCase();
}

const DMTF_WSMAN = 'http://schemas.dmtf.org/wbem/wsman/1/wsman';
const DECLARED = {
  s: NAMESPACES.s,
  a: NAMESPACES.a,
  x: NAMESPACES.x,
  w: NAMESPACES.w,
  rsp: NAMESPACES.rsp,
  p: NAMESPACES.p,
};
