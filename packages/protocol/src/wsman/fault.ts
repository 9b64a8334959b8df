import { attributeOf, childOf, textWithin, type XmlElement } from '../codec/xml.ts';
import { type ErrorCode, fail } from '../errors.ts';
import { NAMESPACES, WMI_ERROR_NAMESPACE } from './uris.ts';

/** A fault, as the server put it. [MS-WSMV] 2.2.4.44 WSManFaultType */
export interface Fault {
  /** Unsigned decimal, as written; "" when there is none. */
  readonly code: string;
  /** The local name of the SOAP subcode: "TimedOut", "AccessDenied"; "" when there is none. */
  readonly subcode: string;
  /** The server's own words, shortened to 2,000 characters, without control characters. */
  readonly text: string;
  readonly machine: string;
}

/** What the request was, for errors that say so. */
export interface FaultContext {
  readonly timeoutSeconds: number;
  readonly requestBytes: number;
  readonly limitBytes: number;
}

/** Reads a fault out of a body; null when the body is an answer. */
export function decodeFault(body: XmlElement): Fault | null {
  const fault = childOf(body, NAMESPACES.s, 'Fault');
  if (fault === null) return null;
  const detail = childOf(fault, NAMESPACES.s, 'Detail');
  const winrm = detail && childOf(detail, NAMESPACES.f, 'WSManFault');
  const wmi = detail && childOf(detail, WMI_ERROR_NAMESPACE, 'MSFT_WmiError_Type');
  const message = winrm && childOf(winrm, NAMESPACES.f, 'Message');
  const words = message && textWithin(message).trim();
  const wmiCode = wmi && childOf(wmi, WMI_ERROR_NAMESPACE, 'error_Code')?.text.trim();
  const code = (winrm && attributeOf(winrm, 'Code')?.trim()) ?? wmiCode ?? '';
  return {
    code: /^\d{1,10}$/.test(code) ? code : '',
    subcode: subcodeOf(fault),
    text: plain(words || reasonOf(fault)),
    machine: plain((winrm && attributeOf(winrm, 'Machine')) ?? '').slice(0, 255),
  };
}

/**
 * Throws the error a fault stands for: by its number first, then by its subcode.
 *
 * @throws wsman.access-denied, wsman.quota, wsman.shell-gone, wsman.timed-out, wsman.envelope-too-large, wsman.fault
 */
export function failWithFault(fault: Fault, context: FaultContext): never {
  const { code, subcode, text, machine } = fault;
  switch (BY_CODE.get(code)?.error ?? BY_SUBCODE.get(subcode)) {
    case 'wsman.timed-out':
      return fail('wsman.timed-out', { seconds: context.timeoutSeconds });
    case 'wsman.access-denied':
      return fail('wsman.access-denied', { code, text });
    case 'wsman.shell-gone':
      return fail('wsman.shell-gone', { code, text });
    case 'wsman.quota':
      return fail('wsman.quota', { code, text, quota: QUOTAS.get(code) ?? 'other' });
    case 'wsman.envelope-too-large':
      return fail('wsman.envelope-too-large', { bytes: context.requestBytes, limitBytes: context.limitBytes });
    default:
      return fail('wsman.fault', { code, subcode, text, machine });
  }
}

/** The key of the plain sentence for a fault's number (`faults.<key>`), or null when we have none. */
export function faultMeaning(code: string): string | null {
  return BY_CODE.get(code)?.meaning ?? null;
}

/** Every key `faultMeaning` can give, so that a test can hold each to a sentence. */
export function faultMeanings(): readonly string[] {
  return [...new Set([...BY_CODE.values()].map(({ meaning }) => meaning))];
}

/** Faults that only say that a command has been ended: awaited after we ended it ourselves. */
export function isFarewell(code: string): boolean {
  return code === OPERATION_ABORTED || code === CANCELLED || code === SHELL_NOT_FOUND;
}

function subcodeOf(fault: XmlElement): string {
  const code = childOf(fault, NAMESPACES.s, 'Code');
  const subcode = code && childOf(code, NAMESPACES.s, 'Subcode');
  const value = (subcode && childOf(subcode, NAMESPACES.s, 'Value')?.text.trim()) ?? '';
  const local = value.slice(value.indexOf(':') + 1);
  return /^\w{1,64}$/.test(local) ? local : '';
}

function reasonOf(fault: XmlElement): string {
  const reason = childOf(fault, NAMESPACES.s, 'Reason');
  return (reason && childOf(reason, NAMESPACES.s, 'Text')?.text.trim()) ?? '';
}

function plain(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, MAX_FAULT_CHARS);
}

const MAX_FAULT_CHARS = 2000;
const OPERATION_ABORTED = '995';
const CANCELLED = '1223';
const SHELL_NOT_FOUND = '2150858843';

interface Known {
  readonly error: ErrorCode;
  readonly meaning: string;
}

const known = (error: ErrorCode, meaning: string): Known => ({ error, meaning });

/** Numbers people meet, with our error and the key of a plain sentence. [MS-ERREF] 2.2; WinRM error constants. */
const BY_CODE: ReadonlyMap<string, Known> = new Map([
  ['5', known('wsman.access-denied', 'access-denied')],
  [OPERATION_ABORTED, known('wsman.fault', 'operation-aborted')],
  [CANCELLED, known('wsman.fault', 'cancelled')],
  ['109', known('wsman.fault', 'pipe-ended')],
  ['267', known('wsman.fault', 'bad-directory')],
  ['1311', known('wsman.access-denied', 'no-logon-server')],
  ['1326', known('wsman.access-denied', 'bad-logon')],
  ['1331', known('wsman.access-denied', 'account-disabled')],
  ['2147942509', known('wsman.fault', 'pipe-ended')], // 0x8007006D
  ['2147942632', known('wsman.fault', 'pipe-ended')], // 0x800700E8
  ['2147943418', known('wsman.fault', 'profile-unloading')], // 0x800703FA
  ['2150858770', known('wsman.fault', 'cannot-connect')], // 0x80338012
  ['2150858778', known('wsman.fault', 'resource-not-found')], // 0x8033801A
  ['2150858793', known('wsman.timed-out', 'timed-out')], // 0x80338029
  ['2150858811', known('wsman.fault', 'bad-resource-uri')], // 0x8033803B
  [SHELL_NOT_FOUND, known('wsman.shell-gone', 'shell-gone')], // 0x8033805B
  ['2150858868', known('wsman.fault', 'unsupported-method')], // 0x80338074
  ['2150858981', known('wsman.access-denied', 'credentials-required')], // 0x803380E5
  ['2150859022', known('wsman.fault', 'no-common-scheme')], // 0x8033810E
  ['2150859026', known('wsman.fault', 'service-unavailable')], // 0x80338112
  ['2150859027', known('wsman.fault', 'service-unavailable')], // 0x80338113
  ['2150859046', known('wsman.fault', 'network-timeout')], // 0x80338126
  ['2150859161', known('wsman.fault', 'redirected')], // 0x80338199
  ['2150859173', known('wsman.quota', 'too-many-shells')], // 0x803381A5
  ['2150859174', known('wsman.quota', 'too-many-operations')], // 0x803381A6
  ['2150859204', known('wsman.shell-gone', 'shell-disconnected')], // 0x803381C4
  ['2150859213', known('wsman.fault', 'shell-in-use')], // 0x803381CD
  ['2150859230', known('wsman.shell-gone', 'shell-disconnected')], // 0x803381DE
]);

/** DMTF DSP0226, section 14.6: the subcodes that mean the same on every server. */
const BY_SUBCODE: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['TimedOut', 'wsman.timed-out'],
  ['AccessDenied', 'wsman.access-denied'],
  ['QuotaLimit', 'wsman.quota'],
  ['InvalidSelectors', 'wsman.shell-gone'],
  ['EncodingLimit', 'wsman.envelope-too-large'],
]);

const QUOTAS: ReadonlyMap<string, 'shells' | 'operations'> = new Map([
  ['2150859173', 'shells'],
  ['2150859174', 'operations'],
]);
