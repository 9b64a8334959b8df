import { type Ip, isInRange, parseIp, parseIpRange } from './_ip.ts';
import { toText } from './_pac-convert.ts';
import type { Machine } from './_pac-machine.ts';
import { isMatch } from './_pac-regex.ts';
import type { NativeCode, Value } from './_pac-values.ts';

/** Most addresses that are sorted. */
const MAX_ADDRESSES = 1000;

type Text = (m: Machine, first: string, second: string, third: string) => Value;

/** The arguments as texts, which is what all of these work on. */
function onTexts(code: Text): NativeCode {
  return (m, _self, args) => {
    const [first, second, third] = [0, 1, 2].map((at) => toText(m, args[at])) as [string, string, string];
    m.step(8 + ((first.length + second.length) >> 4));
    return code(m, first, second, third);
  };
}

/**
 * The functions that the PAC format gives to every script (Netscape, "Navigator Proxy Auto-Config File Format"; as
 * Firefox's ascii_pac_utils.js and Chromium's pac_js_library.h have them), and Microsoft's for IPv6. None of them
 * reaches anything: names are looked up in what the caller hands in, and what it does not know is noted.
 */
export const HOST_FUNCTIONS: Readonly<Record<string, NativeCode>> = {
  isPlainHostName: onTexts((_m, host) => !/[.:]/.test(host)),
  dnsDomainIs: onTexts((_m, host, domain) => host.endsWith(domain)),
  localHostOrDomainIs: onTexts((_m, host, full) => host === full || full.startsWith(`${host}.`)),
  dnsDomainLevels: onTexts((_m, host) => host.split('.').length - 1),
  isResolvable: onTexts((m, host) => resolve4(m, host) !== null),
  dnsResolve: onTexts((m, host) => resolve4(m, host)),
  isInNet: onTexts((m, host, pattern, mask) => isInNet(m, host, pattern, mask)),
  convert_addr: onTexts((_m, address) => addressNumber(address)),
  myIpAddress: (m) => m.myIpAddress(),
  shExpMatch: onTexts((m, text, expression) => isMatch(m, shellPattern(expression), text)),
  alert: onTexts((m, text) => {
    m.alert(text);
    return undefined;
  }),
  isResolvableEx: onTexts((m, host) => resolveAny(m, host) !== ''),
  dnsResolveEx: onTexts((m, host) => resolveAny(m, host)),
  isInNetEx: onTexts((_m, address, prefix) => {
    const [ip, range] = [parseIp(bare(address)), parseIpRange(prefix.trim())];
    return ip !== null && range !== null && isInRange(ip, range);
  }),
  myIpAddressEx: (m) => m.myIpAddress(),
  sortIpAddressList: onTexts((m, list) => sortAddresses(m, list)),
  getClientVersion: () => '1.0',
};

function bare(address: string): string {
  return address.trim().replace(/^\[(.*)\]$/, '$1');
}

/** An IPv4 address of a name; an address is its own. */
function resolve4(m: Machine, host: string): string | null {
  if (parseIp(host)?.bits === 32) return host;
  if (parseIp(bare(host)) !== null || host === '') return null;
  const address = m.resolve(host);
  return address !== null && parseIp(address)?.bits === 32 ? address : null;
}

function resolveAny(m: Machine, host: string): string {
  if (parseIp(bare(host)) !== null) return bare(host);
  const address = host === '' ? null : m.resolve(host);
  return address !== null && parseIp(address) !== null ? address : '';
}

function isInNet(m: Machine, host: string, pattern: string, mask: string): boolean {
  const address = resolve4(m, host);
  if (address === null || parseIp(pattern)?.bits !== 32 || parseIp(mask)?.bits !== 32) return false;
  const bits = addressNumber(mask);
  return (addressNumber(address) & bits) === (addressNumber(pattern) & bits);
}

/** Four numbers as one of 32 bits with a sign, as every implementation computes it. */
function addressNumber(address: string): number {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map((part) => Number(part) & 255);
  return (a << 24) | (b << 16) | (c << 8) | d;
}

/**
 * A shell expression as a regular expression. Firefox and Chromium turn only the dot, the star and the question mark
 * into something else, so "(*.a|*.b)" works as people came to expect; what is left then goes to our own matcher.
 */
function shellPattern(expression: string): string {
  const source = expression.replace(/\./g, '\\.').replace(/\*/g, '.*').replace(/\?/g, '.');
  return `^${source}$`;
}

/** IPv6 before IPv4, each from low to high; false when one of them is no address. */
function sortAddresses(m: Machine, list: string): Value {
  const texts = list.split(';').map((part) => part.trim());
  m.step(texts.length * 8);
  if (texts.length > MAX_ADDRESSES) return false;
  const read = texts.map((text) => ({ text, ip: parseIp(bare(text)) }));
  if (read.some(({ ip }) => ip === null)) return false;
  const rank = (a: Ip, b: Ip): number => b.bits - a.bits || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
  return m.text(
    read
      .toSorted((a, b) => rank(a.ip as Ip, b.ip as Ip))
      .map(({ text }) => text)
      .join(';'),
  );
}
