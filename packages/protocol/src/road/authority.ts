import type { Address } from '../bytes/stream.ts';

/** RFC 1035, section 2.3.4: the longest name; a label is at most 63. */
const MAX_NAME_CHARACTERS = 253;
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/**
 * Whether a text is a host as this product takes one: a name of plain labels, an IPv4 address of four decimal numbers,
 * or an IPv6 address without brackets and zone. Every other spelling of an address (one number, octal, hexadecimal, a
 * trailing dot) is refused, so that no two parties read the same text as different machines.
 */
export function isHost(text: string): boolean {
  if (text.includes(':')) return isIpv6(text);
  if (text.length === 0 || text.length > MAX_NAME_CHARACTERS) return false;
  const labels = text.split('.');
  const last = labels[labels.length - 1] as string;
  // A last label that is a number makes resolvers read the whole as an address. WHATWG URL, section 3.5
  if (/^(?:[0-9]+|0[xX][0-9A-Fa-f]*)$/.test(last)) return isIpv4(text);
  return labels.every((label) => LABEL.test(label));
}

/** Whether a number is a TCP port one can connect to. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** host:port, IPv6 in brackets. RFC 3986, section 3.2 */
export function printAuthority({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Splits "host", "host:port" or "[v6]:port"; null when it is none of them. The host is still to be judged. */
export function splitAuthority(text: string): { host: string; port: string | null } | null {
  const bracketed = /^\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)\](?::([0-9]*))?$/.exec(text);
  if (bracketed !== null) return { host: bracketed[1] as string, port: bracketed[2] ?? null };
  const plain = /^([^:[\]]*)(?::([0-9]*))?$/.exec(text);
  return plain === null ? null : { host: plain[1] as string, port: plain[2] ?? null };
}

function isIpv4(text: string): boolean {
  const numbers = text.split('.');
  return numbers.length === 4 && numbers.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 4291, section 2.2. No zone: it names an interface of one machine only. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  let groupCount = 0;
  for (const [at, half] of halves.entries()) {
    const groups = half === '' ? [] : half.split(':');
    for (const [i, group] of groups.entries()) {
      const isVeryLast = at === halves.length - 1 && i === groups.length - 1;
      if (/^[0-9A-Fa-f]{1,4}$/.test(group)) groupCount += 1;
      else if (isVeryLast && isIpv4(group)) groupCount += 2;
      else return false;
    }
  }
  return halves.length === 2 ? groupCount < 8 : groupCount === 8;
}
