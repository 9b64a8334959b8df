/** Addresses as numbers, for ranges. The spellings with more than one reading are no address here. */

/** An address and its width. */
export interface Ip {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A range of addresses: those whose first `prefix` bits are the base's. */
export interface IpRange {
  readonly base: Ip;
  readonly prefix: number;
}

/** Reads an IPv4 address of four plain decimal numbers or an IPv6 address without brackets and zone; null otherwise. */
export function parseIp(text: string): Ip | null {
  if (!text.includes(':')) {
    const value = ipv4Value(text.split('.'), 4);
    return value === null ? null : { bits: 32, value };
  }
  const value = ipv6Value(text);
  return value === null ? null : { bits: 128, value };
}

/**
 * Reads "10.0.0.0/8", "fd00::/8", and "169.254/16" as macOS writes it. Bits behind the prefix are ignored, as curl and
 * Go ignore them. Null when it is no range.
 */
export function parseIpRange(text: string): IpRange | null {
  const parts = /^([0-9A-Fa-f:.]{1,45})\/([0-9]{1,3})$/.exec(text);
  if (parts === null) return null;
  const written = parts[1] as string;
  const prefix = Number(parts[2]);
  const numbers = written.split('.');
  const base = written.includes(':')
    ? parseIp(written)
    : parseIp([...numbers, ...Array<string>(Math.max(0, 4 - numbers.length)).fill('0')].join('.'));
  return base === null || prefix > base.bits ? null : { base, prefix };
}

/** Whether an address lies in a range. */
export function isInRange(ip: Ip, range: IpRange): boolean {
  if (ip.bits !== range.base.bits) return false;
  const shift = BigInt(ip.bits - range.prefix);
  return ip.value >> shift === range.base.value >> shift;
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(ip: Ip): boolean {
  return ip.bits === 32 ? ip.value >> 24n === 127n : ip.value === 1n;
}

/** 169.254.0.0/16 and fe80::/10. RFC 3927, RFC 4291 */
export function isLinkLocal(ip: Ip): boolean {
  return ip.bits === 32 ? ip.value >> 16n === 0xa9fen : ip.value >> 118n === 0x3fan;
}

function ipv4Value(parts: readonly string[], count: number): bigint | null {
  if (parts.length !== count) return null;
  let value = 0n;
  for (const part of parts) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return null;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

/** RFC 4291, section 2.2 */
function ipv6Value(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] as string, halves.length === 1);
  const tail = groupsOf(halves[1] ?? '', true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  let value = 0n;
  for (const group of [...head, ...Array<bigint>(missing).fill(0n), ...tail]) value = (value << 16n) | group;
  return value;
}

function groupsOf(text: string, isLast: boolean): bigint[] | null {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [at, part] of parts.entries()) {
    const tail = isLast && at === parts.length - 1 && part.includes('.') ? ipv4Value(part.split('.'), 4) : null;
    if (tail !== null) groups.push(tail >> 16n, tail & 0xffffn);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return null;
  }
  return groups;
}
