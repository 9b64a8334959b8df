/**
 * How hosts may be written and what an address is. Everything with more than one reading is refused, because the
 * resolver, the proxy and this file might each choose another one.
 */

/** An IP address as a number, with its width. */
export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A range of addresses. */
export interface Cidr {
  readonly base: IpAddress;
  readonly prefix: number;
}

/** A host in its one spelling: a lower-case name, or an address. */
export type Host = { readonly kind: 'name'; readonly name: string } | { readonly kind: 'ip'; readonly ip: IpAddress };

/** Longest host name. RFC 1035 section 2.3.4. */
const MAX_NAME_CHARACTERS = 253;

/**
 * Reads a host name, a dotted IPv4 address of four plain decimal numbers, or an IPv6 address without brackets, zone or
 * dotted tail. Names are letters, digits, hyphens and underscores; their last label is not a number, which keeps out
 * `127.1`, `0x7f.1` and `2130706433`. Null for everything else.
 */
export function parseHost(text: string): Host | null {
  if (text.length === 0 || text.length > MAX_NAME_CHARACTERS) return null;
  const ip = parseIp(text);
  if (ip !== null) return { kind: 'ip', ip };
  const labels = text.toLowerCase().split('.');
  // toLowerCase maps U+212A (Kelvin) and others into ASCII, so the characters are judged before.
  if (!/^[A-Za-z0-9._-]+$/.test(text)) return null;
  if (!labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) return null;
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) return null;
  return { kind: 'name', name: labels.join('.') };
}

/** Reads an IPv4 or IPv6 address in its plain form; null otherwise. */
export function parseIp(text: string): IpAddress | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): IpAddress | null {
  if (!/^(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})$/.test(text)) return null;
  let value = 0n;
  for (const part of text.split('.')) {
    const byte = Number(part);
    if (byte > 255) return null;
    value = (value << 8n) | BigInt(byte);
  }
  return { bits: 32, value };
}

function parseIpv6(text: string): IpAddress | null {
  if (!/^[0-9A-Fa-f:]+$/.test(text)) return null;
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] ?? '');
  const tail = groupsOf(halves[1] ?? '');
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  let value = 0n;
  for (const group of [...head, ...Array<bigint>(missing).fill(0n), ...tail]) value = (value << 16n) | group;
  return { bits: 128, value };
}

function groupsOf(text: string): bigint[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  return groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group)) ? groups.map((g) => BigInt(`0x${g}`)) : null;
}

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address; null when malformed or when bits below the prefix are set. */
export function parseCidr(text: string): Cidr | null {
  const [ipText = '', prefixText, ...rest] = text.split('/');
  if (rest.length > 0) return null;
  const base = parseIp(ipText);
  if (base === null) return null;
  if (prefixText === undefined) return { base, prefix: base.bits };
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(prefixText)) return null;
  const prefix = Number(prefixText);
  if (prefix > base.bits) return null;
  const low = (1n << BigInt(base.bits - prefix)) - 1n;
  return (base.value & low) === 0n ? { base, prefix } : null;
}

/** Whether an address lies in a range. */
export function isInside(ip: IpAddress, range: Cidr): boolean {
  if (ip.bits !== range.base.bits) return false;
  const shift = BigInt(ip.bits - range.prefix);
  return ip.value >> shift === range.base.value >> shift;
}

/** Whether a whole range lies in another. */
export function isWithin(inner: Cidr, outer: Cidr): boolean {
  return inner.prefix >= outer.prefix && isInside(inner.base, outer);
}

/** What kind of address it is. `public` needs no explicit rule, `special` needs one, `never` cannot be allowed. */
export type AddressClass =
  | { readonly kind: 'public' }
  | { readonly kind: 'special'; readonly range: Cidr }
  | { readonly kind: 'never' };

/** Judges an address by the most specific entry of the tables below; IPv6 outside 2000::/3 is never public. */
export function classifyAddress(ip: IpAddress): AddressClass {
  if (NEVER.some((range) => isInside(ip, range))) return { kind: 'never' };
  let best: Cidr | null = null;
  for (const range of SPECIAL) {
    if (isInside(ip, range) && (best === null || range.prefix > best.prefix)) best = range;
  }
  if (best !== null) return { kind: 'special', range: best };
  return ip.bits === 32 || isInside(ip, GLOBAL_UNICAST) ? { kind: 'public' } : { kind: 'never' };
}

function range(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw new RangeError(text);
  return cidr;
}

/** RFC 4291 section 2.4. */
const GLOBAL_UNICAST = range('2000::/3');

/** The registries of RFC 6890, and the addresses at which clouds answer with secrets. */
const SPECIAL: readonly Cidr[] = [
  '10.0.0.0/8', // private, RFC 1918
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10', // shared, RFC 6598
  '127.0.0.0/8', // loopback
  '::1/128',
  '169.254.0.0/16', // link-local, RFC 3927
  'fe80::/10',
  'fec0::/10', // site-local, RFC 3879
  'fc00::/7', // unique local, RFC 4193
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation, RFC 5737
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001:db8::/32',
  '3fff::/20',
  '198.18.0.0/15', // benchmarks, RFC 2544
  '169.254.169.254/32', // metadata services: a rule has to name the address or a part of it that is no larger
  '169.254.170.2/32',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  'fd00:ec2::254/128',
].map(range);

/** No host is there, or the address is a wrapping of another one that would escape judgement. */
const NEVER: readonly Cidr[] = [
  '0.0.0.0/8', // "this host": Linux connects 0.0.0.0 to loopback
  '192.88.99.0/24', // 6to4 relays
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
  '::/128',
  '::ffff:0:0/96', // IPv4-mapped
  '::ffff:0:0:0/96', // IPv4-translated, RFC 2765
  '64:ff9b::/96', // NAT64, RFC 6052
  '64:ff9b:1::/48', // NAT64, RFC 8215
  '100::/64', // discard
  '2001::/23', // Teredo, ORCHID and other protocol assignments
  '2002::/16', // 6to4
  '5f00::/16', // segment routing
  'ff00::/8', // multicast
].map(range);
