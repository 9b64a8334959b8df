import { type Cidr, classifyAddress, type Host, isInside, isWithin, parseCidr, parseHost, parseIp } from './address.ts';

/**
 * Where the relay may dial. Empty by default. A target or a first proxy that the relay dials itself is judged by every
 * address its name resolves to; names that a proxy will resolve are judged as names.
 *
 * A rule is `WHO[:PORTS][@RANGE]`. WHO is a host name, `*.suffix` (any name below it, not itself), `*` (any name), an
 * address or a range of addresses; an IPv6 one stands in brackets: `[fd00::/8]`. PORTS is `*`, a port or `low-high`; a
 * target without ports means 5985-5986, a proxy must have one. `@RANGE` says which special addresses (private, loopback,
 * link-local and so on) a name may resolve to; without it a name may resolve to public addresses only.
 * A range covers special addresses only when it lies within their range: `10.0.0.0/8` does, `0.0.0.0/0` does not.
 */
export interface DialPolicy {
  readonly targets: readonly Rule[];
  readonly proxies: readonly Rule[];
}

/** One rule. */
export interface Rule {
  /** As it was written. */
  readonly text: string;
  readonly who:
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'below'; readonly suffix: string }
    | { readonly kind: 'any-name' }
    | { readonly kind: 'range'; readonly range: Cidr };
  readonly lowPort: number;
  readonly highPort: number;
  readonly within: Cidr | null;
}

/** A rule that could not be read; the message is for whoever wrote the setting. */
export class BadRule extends Error {}

/** Reads rules separated by commas, semicolons or white space. @throws BadRule */
export function parseRules(text: string, of: 'targets' | 'proxies'): Rule[] {
  return text
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map((part) => parseRule(part, of));
}

function parseRule(text: string, of: 'targets' | 'proxies'): Rule {
  const shape = /^(?:\[([^\][]*)\]|([^\][:@]*))(?::([^:@]*))?(?:@\[?([^\][@]*)\]?)?$/.exec(text);
  if (shape === null) throw new BadRule(`"${text}" is not HOST:PORT; an IPv6 address needs brackets`);
  const [, bracketed, plain, portText, withinText] = shape;
  const who = parseWho(bracketed ?? plain ?? '', bracketed !== undefined);
  if (who === null) throw new BadRule(`"${text}" does not begin with a host name, *.suffix, an address or a range`);
  const ports = parsePorts(portText, of);
  if (ports === null) {
    const why = portText === undefined ? 'has no port' : 'has a port that is not *, a number or low-high';
    throw new BadRule(`"${text}" ${why}`);
  }
  const within = withinText === undefined ? null : parseCidr(withinText);
  if (withinText !== undefined && who.kind === 'range') throw new BadRule(`"${text}": an address takes no @RANGE`);
  if (withinText !== undefined && within === null) {
    throw new BadRule(`"${text}" has something after @ that is not a range of addresses`);
  }
  return { text, who, lowPort: ports.low, highPort: ports.high, within };
}

function parseWho(text: string, isBracketed: boolean): Rule['who'] | null {
  const range = parseCidr(text);
  if (range !== null) return (range.base.bits === 128) === isBracketed ? { kind: 'range', range } : null;
  if (isBracketed) return null;
  if (text === '*') return { kind: 'any-name' };
  const host = parseHost(text.startsWith('*.') ? text.slice(2) : text);
  if (host?.kind !== 'name') return null;
  return text.startsWith('*.') ? { kind: 'below', suffix: `.${host.name}` } : { kind: 'name', name: host.name };
}

function parsePorts(text: string | undefined, of: 'targets' | 'proxies'): { low: number; high: number } | null {
  if (text === undefined) return of === 'targets' ? { low: 5985, high: 5986 } : null;
  if (text === '*') return { low: 1, high: 65_535 };
  const shape = /^([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?$/.exec(text);
  if (shape === null) return null;
  const low = Number(shape[1]);
  const high = Number(shape[2] ?? shape[1]);
  return low <= high && high <= 65_535 ? { low, high } : null;
}

/** A rule for exactly one host and port, as a start script's demo needs; null when the host is not one. */
export function exactRule(host: string, port: number): Rule | null {
  const ip = parseIp(host);
  const text = ip?.bits === 128 ? `[${host}]:${port}` : `${host}:${port}`;
  const who = parseWho(host, ip?.bits === 128);
  const isOne = who?.kind === 'name' || (who?.kind === 'range' && who.range.prefix === who.range.base.bits);
  return who !== null && isOne ? { text, who, lowPort: port, highPort: port, within: null } : null;
}

/** Whether anything could be allowed by these rules for a host as it is written, before its name is resolved. */
export function mayBeAllowed(rules: readonly Rule[], host: Host, port: number): boolean {
  if (host.kind === 'ip') return isAddressAllowed(rules, host, host, port);
  return rules.some((rule) => coversPort(rule, port) && (rule.who.kind === 'range' || coversName(rule, host.name)));
}

/**
 * Whether a host may be named to a proxy, which will do the resolving: by a rule for names, or for that address. Nobody
 * here sees what the proxy finds, so a name that means the proxy itself, or a cloud's secrets, has to be written out.
 */
export function isNameAllowed(rules: readonly Rule[], host: Host, port: number): boolean {
  if (host.kind === 'ip') return isAddressAllowed(rules, host, host, port);
  const { name } = host;
  const isExactOnly = LOCAL_NAME.test(name);
  return rules.some(
    (rule) => coversPort(rule, port) && coversName(rule, name) && (rule.who.kind === 'name' || !isExactOnly),
  );
}

/** What systems call themselves (RFC 6761, section 6.3, and the usual /etc/hosts), and where clouds keep their secrets. */
const LOCAL_NAME =
  /^(?:(?:.*\.)?localhost|localhost[46]?(?:\.localdomain[46]?)?|ip6-[a-z]+|loopback|broadcasthost|metadata(?:\.goog|\.google\.internal)?|instance-data(?:\.ec2\.internal)?)$/;

/** Whether the relay itself may connect to an address that `host` is or resolved to. */
export function isAddressAllowed(
  rules: readonly Rule[],
  host: Host,
  address: Extract<Host, { kind: 'ip' }>,
  port: number,
): boolean {
  const judged = classifyAddress(address.ip);
  if (judged.kind === 'never') return false;
  const covers = (range: Cidr) =>
    isInside(address.ip, range) && (judged.kind === 'public' || isWithin(range, judged.range));
  return rules.some((rule) => {
    if (!coversPort(rule, port)) return false;
    if (rule.who.kind === 'range') return covers(rule.who.range);
    if (host.kind !== 'name' || !coversName(rule, host.name)) return false;
    return rule.within === null ? judged.kind === 'public' : covers(rule.within);
  });
}

function coversPort(rule: Rule, port: number): boolean {
  return port >= rule.lowPort && port <= rule.highPort;
}

function coversName(rule: Rule, name: string): boolean {
  if (rule.who.kind === 'name') return rule.who.name === name;
  if (rule.who.kind === 'below') return name.length > rule.who.suffix.length && name.endsWith(rule.who.suffix);
  return rule.who.kind === 'any-name';
}

/** What a policy does not allow, in the words of `relay.policy-denied`. */
export interface Denial {
  readonly host: string;
  readonly port: number;
  readonly rule: 'target' | 'proxy';
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Judges a road before anything is resolved: the first hop is what the relay dials itself, everything beyond is a name
 * told to a proxy. The addresses of the first hop are judged again when it is dialled.
 */
export function judgeRoad(policy: DialPolicy, target: Place, proxies: readonly Place[]): Denial | null {
  const steps = [
    ...proxies.map((place) => ({ place, rule: 'proxy' as const, rules: policy.proxies })),
    { place: target, rule: 'target' as const, rules: policy.targets },
  ];
  for (const [index, { place, rule, rules }] of steps.entries()) {
    const host = parseHost(place.host);
    const isAllowed = index === 0 ? mayBeAllowed : isNameAllowed;
    if (host === null || !isAllowed(rules, host, place.port)) return { host: place.host, port: place.port, rule };
  }
  return null;
}
