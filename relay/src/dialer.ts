import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { type Address, type Dialer, fail, isWinRmError, WinRmError } from '@fairlead/protocol/road';
import { type Host, parseHost, parseIp } from './address.ts';
import { isAddressAllowed, type Rule } from './dial-policy.ts';
import { TcpStream } from './tcp-stream.ts';

/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 8;

/** Turns a name into addresses; the system's resolver, or a test's. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** The system's resolver, `/etc/hosts` and search list included. */
export const systemResolve: Resolve = async (name) => {
  const found = await lookup(name, { all: true, order: 'verbatim' });
  return found.map((entry) => entry.address);
};

/** What a dialer needs for one road. */
export interface DialerOptions {
  readonly rules: readonly Rule[];
  readonly timeoutMs: number;
  readonly resolve: Resolve;
}

/**
 * Connects the first hop of a road: resolves its name once, judges every address found, and connects to exactly such an
 * address. One forbidden address among several refuses them all: an honest name has none.
 *
 * @throws relay.name-not-found, relay.policy-denied, relay.connection-refused, relay.connect-timeout
 */
export function createDialer(options: DialerOptions): Dialer {
  return async (address, signal) => {
    // Not AbortSignal.timeout: it would be held for its whole time by each of many connections that are open long before.
    const either = new AbortController();
    const onAbort = () => either.abort(signal?.reason);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      either.abort();
    }, options.timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      const candidates = await judgedAddresses(options, address, either.signal);
      return await connectAny(options, address, candidates, either.signal);
    } catch (error) {
      if (isWinRmError(error, 'relay.policy-denied') || !isLate || signal?.aborted) throw error;
      return fail('relay.connect-timeout', { hop: 1, ...address, seconds: Math.ceil(options.timeoutMs / 1000) }, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  };
}

/**
 * Resolves a host once and judges every address it has; an address is its own. One forbidden address refuses them all.
 *
 * @throws relay.policy-denied, relay.name-not-found, session.cancelled
 */
export async function judgedAddresses(options: DialerOptions, at: Address, stop: AbortSignal): Promise<string[]> {
  const host = parseHost(at.host);
  if (host === null) return fail('relay.policy-denied', { ...at, rule: 'address' });
  const found = host.kind === 'ip' ? [at.host] : await resolveOnce(options, host.name, stop);
  for (const address of found) {
    const ip = parseIp(address);
    const isAllowed = ip !== null && isAddressAllowed(options.rules, host, { kind: 'ip', ip } satisfies Host, at.port);
    if (!isAllowed) fail('relay.policy-denied', { ...at, rule: 'address' });
  }
  return found.slice(0, MAX_ADDRESSES);
}

async function resolveOnce(options: DialerOptions, name: string, stop: AbortSignal): Promise<string[]> {
  const found = await untilStopped(options.resolve(name), stop, (cause) => {
    throw new WinRmError('relay.name-not-found', { hop: 1, host: name }, cause);
  });
  if (found.length === 0) fail('relay.name-not-found', { hop: 1, host: name });
  return [...found];
}

/** One after the other; each gets an even share of what time is left. */
async function connectAny(o: DialerOptions, at: Address, candidates: string[], stop: AbortSignal): Promise<TcpStream> {
  let refusal: unknown = null;
  const began = performance.now();
  for (const [index, address] of candidates.entries()) {
    const leftMs = o.timeoutMs - (performance.now() - began);
    const shareMs = Math.max(1, leftMs / (candidates.length - index));
    try {
      return new TcpStream(await connectOne(at, address, shareMs, stop), `relay to ${at.host}:${at.port}`, address);
    } catch (error) {
      if (stop.aborted) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

function connectOne(at: Address, address: string, timeoutMs: number, stop: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address,
      port: at.port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      autoSelectFamily: false,
    });
    const give = (error: unknown) => {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
      socket.removeAllListeners();
      if (error === null) {
        resolve(socket);
        return;
      }
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onStop = () => give(new WinRmError('session.cancelled', { at: 'road' }, stop.reason));
    const timer = setTimeout(() => {
      give(new WinRmError('relay.connect-timeout', { hop: 1, ...at, seconds: Math.ceil(timeoutMs / 1000) }));
    }, timeoutMs);
    socket.once('connect', () => give(null));
    socket.once('error', (error: NodeJS.ErrnoException) => give(connectError(at, error, timeoutMs)));
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
  });
}

function connectError(at: Address, cause: NodeJS.ErrnoException, timeoutMs: number): WinRmError {
  if (cause.code === 'ETIMEDOUT') {
    return new WinRmError('relay.connect-timeout', { hop: 1, ...at, seconds: Math.ceil(timeoutMs / 1000) }, cause);
  }
  return new WinRmError('relay.connection-refused', { hop: 1, ...at, cause: cause.code ?? 'unknown' }, cause);
}

function untilStopped<T>(work: Promise<T>, stop: AbortSignal, onError: (cause: unknown) => never): Promise<T> {
  return new Promise((resolve, reject) => {
    const onStop = () => reject(new WinRmError('session.cancelled', { at: 'road' }, stop.reason));
    if (stop.aborted) onStop();
    stop.addEventListener('abort', onStop, { once: true });
    work
      .catch(onError)
      .then(resolve, reject)
      .finally(() => stop.removeEventListener('abort', onStop));
  });
}
