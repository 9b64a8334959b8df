import { equalBytes } from '../bytes/bytes.ts';
import type { Certificate } from './x509.ts';

/**
 * Whether the certificate is for this host. Only subjectAltName counts: a common name never does (RFC 9525, section
 * 6.3). A name matches a dNSName label by label, without regard to case; an address matches an iPAddress byte by byte.
 *
 * @param host a name in ASCII, an IPv4 address, or an IPv6 address with or without brackets
 */
export function isNamed(certificate: Certificate, host: string): boolean {
  const address = parseAddress(host);
  if (address !== null) return certificate.ipAddresses.some((entry) => equalBytes(entry, address));
  const name = host.toLowerCase().replace(/\.$/, '');
  return LDH_NAME.test(name) && certificate.dnsNames.some((pattern) => matchesName(pattern, name));
}

/**
 * A dNSName against a name in lower case. A wildcard is a whole leftmost label, stands for exactly one label, and has at
 * least two labels after it: `*.corp` would be a key to a whole company. RFC 9525, section 6.3
 */
export function matchesName(pattern: string, name: string): boolean {
  const wanted = pattern.toLowerCase().replace(/\.$/, '');
  if (!wanted.startsWith('*.')) return LDH_NAME.test(wanted) && wanted === name;
  const parent = wanted.slice(2);
  if (!LDH_NAME.test(parent) || !parent.includes('.')) return false;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot + 1) === parent;
}

/** Whether a text in lower case is a name of plain labels, without a wildcard and without a dot behind. */
export function isPlainName(text: string): boolean {
  return LDH_NAME.test(text);
}

/** The bytes of an IPv4 or IPv6 address, or null when the text is not one. RFC 4291, section 2.2 */
export function parseAddress(text: string): Uint8Array | null {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  return bare.includes(':') ? parseIpv6(bare) : parseIpv4(bare);
}

/** The usual text of 4 or 16 bytes; IPv6 in full groups without their zeros in front. */
export function printAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    groups.push((((bytes[i] as number) << 8) | (bytes[i + 1] as number)).toString(16));
  }
  const text = groups.join(':');
  const zeros = /\b0(?::0)+\b/.exec(text);
  if (zeros === null) return text;
  return `${text.slice(0, zeros.index).replace(/:$/, '')}::${text.slice(zeros.index + zeros[0].length).replace(/^:/, '')}`;
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  const isAddress =
    parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return isAddress ? Uint8Array.from(parts, Number) : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = [groupsOf(halves[0] as string), groupsOf(halves[1] ?? '')];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return Uint8Array.from([...head, ...new Uint8Array(missing), ...tail]);
}

/** Bytes of colon-separated groups, the last of which may be an IPv4 address. */
function groupsOf(text: string): number[] | null {
  const bytes: number[] = [];
  const groups = text === '' ? [] : text.split(':');
  for (const [at, group] of groups.entries()) {
    const v4 = at === groups.length - 1 ? parseIpv4(group) : null;
    if (v4 !== null) bytes.push(...v4);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else return null;
  }
  return bytes;
}

/** Labels of letters, digits, hyphens and, since Windows names have them, underscores. */
const LDH_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
