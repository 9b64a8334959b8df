import { utf8Encode } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/cursor.ts';
import type { Address } from '../bytes/stream.ts';
import { fail } from '../errors.ts';
import type { Exchange } from '../security.ts';
import type { ProxyHop } from './_connect.ts';
import { printAuthority } from './authority.ts';

/** What the conversation with a SOCKS proxy wants: bytes sent and so many read, or a name and a password. */
export type SocksAsk =
  | { readonly send: Uint8Array; readonly read: number; readonly stage: string }
  | { readonly askCredential: true };

/** The bytes that were read, or the name and the password. */
export type SocksReply = Uint8Array | { readonly user: Uint8Array; readonly password: Uint8Array };

/** One conversation; returns when the connection is the tunnel. */
export type SocksExchange = Exchange<SocksAsk, SocksReply, void>;

const VERSION = 5;
const METHOD_NONE = 0;
const METHOD_PASSWORD = 2;
const METHOD_REFUSED = 0xff;
const PASSWORD_VERSION = 1;
const COMMAND_CONNECT = 1;
const ADDRESS_IPV4 = 1;
const ADDRESS_NAME = 3;
const ADDRESS_IPV6 = 4;
const NO_BYTES = new Uint8Array(0);

/** RFC 1928, section 6. */
const REPLIES: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'time to live expired',
  7: 'command not supported',
  8: 'address type not supported',
};

/**
 * The client's half of SOCKS 5. Names are the proxy's to resolve. The password is readable to everybody on the way to
 * the proxy.
 *
 * RFC 1928, RFC 1929
 * @param maySignIn whether a name and a password may be given; without it only "no authentication" is offered
 * @throws proxy.auth-unsupported, proxy.needs-https, proxy.auth-rejected, proxy.socks-refused, proxy.not-a-proxy
 */
export function* socksExchange(
  proxy: ProxyHop,
  target: Address,
  maySignIn: 'yes' | 'no' | 'needs-https',
): SocksExchange {
  const methods = maySignIn === 'yes' ? [METHOD_NONE, METHOD_PASSWORD] : [METHOD_NONE];
  // One byte at a time: whoever says something else may never say two.
  const [version] = yield* exchange([VERSION, methods.length, ...methods], 1, 'greeting');
  if (version !== VERSION) notSocks(proxy, [version]);
  const [method] = yield* exchange([], 1, 'greeting');
  if (method === METHOD_PASSWORD && maySignIn === 'yes') yield* signIn(proxy);
  else if (method !== METHOD_NONE) refuseMethod(proxy, method, maySignIn);
  const head = yield* exchange([VERSION, COMMAND_CONNECT, 0, ...encodeAddress(target)], 4, 'connect');
  if (head[0] !== VERSION) notSocks(proxy, head);
  const reply = head[1] as number;
  if (reply !== 0) {
    const problem = REPLIES[reply] ?? `reply ${reply}`;
    fail('proxy.socks-refused', { ...placeOf(proxy), target: printAuthority(target), reply, problem });
  }
  yield* skipAddress(proxy, head[3] as number);
}

/** RFC 1929, section 2. */
function* signIn(proxy: ProxyHop): SocksExchange {
  const given = yield { askCredential: true };
  if (given instanceof Uint8Array) return fail('misuse.wrong-state', { action: 'sign in', state: 'no credential' });
  const { user, password } = given;
  for (const [argument, { length }] of [['user', user] as const, ['password', password] as const]) {
    if (length === 0) fail('misuse.bad-argument', { argument, reason: 'empty' });
    if (length > 255) fail('misuse.bad-argument', { argument, reason: 'too-long', limit: 255 });
  }
  const request = [PASSWORD_VERSION, user.length, ...user, password.length, ...password];
  const [, status] = yield* exchange(request, 2, 'password');
  if (status !== 0) {
    const words = { status: status as number, via: '', proxyStatus: '', text: '' };
    fail('proxy.auth-rejected', { ...placeOf(proxy), mechanism: 'SOCKS 5 password', stage: 'password', ...words });
  }
}

function refuseMethod(proxy: ProxyHop, method: number | undefined, maySignIn: 'yes' | 'no' | 'needs-https'): never {
  const offered = method === METHOD_REFUSED ? 'no method of ours' : `method ${method}`;
  if (maySignIn === 'needs-https') fail('proxy.needs-https', { ...placeOf(proxy), offered, refusedBy: 'relay' });
  if (maySignIn === 'no') fail('proxy.auth-required', { ...placeOf(proxy), offered });
  const words = { status: 0, via: '', proxyStatus: '', text: '' };
  fail('proxy.auth-unsupported', {
    ...placeOf(proxy),
    offered,
    wanted: 'no sign-in, or a name and a password',
    ...words,
  });
}

/** The address the proxy bound; its length depends on its first bytes, and nobody needs it. */
function* skipAddress(proxy: ProxyHop, type: number): SocksExchange {
  const stage = 'connect';
  if (type === ADDRESS_IPV4) yield { send: NO_BYTES, read: 4 + 2, stage };
  else if (type === ADDRESS_IPV6) yield { send: NO_BYTES, read: 16 + 2, stage };
  else if (type === ADDRESS_NAME) {
    const [length] = yield* exchange([], 1, stage);
    yield { send: NO_BYTES, read: (length as number) + 2, stage };
  } else notSocks(proxy, [VERSION, 0, 0, type]);
}

function* exchange(send: readonly number[], read: number, stage: string): Exchange<SocksAsk, SocksReply, Uint8Array> {
  const reply = yield { send: Uint8Array.from(send), read, stage };
  return reply instanceof Uint8Array ? reply : fail('misuse.wrong-state', { action: stage, state: 'no bytes' });
}

function encodeAddress({ host, port }: Address): Uint8Array {
  const writer = new ByteWriter(64);
  const ipv4 = /^[0-9.]+$/.test(host) ? host.split('.').map(Number) : null;
  if (host.includes(':')) writer.u8(ADDRESS_IPV6).bytes(ipv6Bytes(host));
  else if (ipv4 !== null) writer.u8(ADDRESS_IPV4).bytes(Uint8Array.from(ipv4));
  else {
    const name = utf8Encode(host);
    writer.u8(ADDRESS_NAME).u8(name.length).bytes(name);
  }
  return writer.u16be(port).finish();
}

/** RFC 4291, section 2.2. The text has been judged by `isHost`. */
function ipv6Bytes(text: string): Uint8Array {
  const plain = text.replace(/([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/, (_all, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [front = [], back = []] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  const groups = [...front, ...zeros, ...back].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

function placeOf({ hop, host, port }: ProxyHop): { hop: number; host: string; port: number } {
  return { hop, host, port };
}

function notSocks(proxy: ProxyHop, bytes: Iterable<number | undefined>): never {
  const startsWith = `not SOCKS 5: ${[...bytes].map((byte) => (byte ?? 0).toString(16).padStart(2, '0')).join(' ')}`;
  fail('proxy.not-a-proxy', { ...placeOf(proxy), startsWith, kind: 'socks5' });
}
