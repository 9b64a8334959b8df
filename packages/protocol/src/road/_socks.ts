import { concatBytes, fromBase64, NO_BYTES, printableStart } from '../bytes/bytes.ts';
import { withDeadline } from '../bytes/deadline.ts';
import { type ByteStream, withLeftover } from '../bytes/stream.ts';
import { type DropReason, fail, isWinRmError, WinRmError } from '../errors.ts';
import { type ConnectOptions, type ProxyHop, withSilentProxy } from './_connect.ts';
import { type SocksAsk, type SocksReply, socksExchange } from './_socks5.ts';
import { printAuthority } from './authority.ts';

/**
 * Asks a SOCKS 5 proxy for a connection. On success the stream is the tunnel; on failure it is destroyed.
 *
 * RFC 1928
 * @throws proxy.*, session.timed-out, session.cancelled, and what `reach` and `answer` throw
 */
export async function openSocks(options: ConnectOptions): Promise<ByteStream> {
  const { proxy, target, answer, maySignIn } = options;
  const stream = await options.reach();
  const reader = new ExactReader(stream);
  const way = answer === null ? 'no' : maySignIn ? 'yes' : 'needs-https';
  const exchange = socksExchange(proxy, target, way);
  let stage = 'greeting';
  try {
    for (let step = exchange.next(); step.done !== true; ) {
      const ask = step.value;
      if ('stage' in ask) stage = ask.stage;
      step = exchange.next(await replyTo(ask, options, reader));
    }
    return withLeftover(stream, reader.takeLeftover());
  } catch (error) {
    stream.destroy();
    throw asProxyError(error, proxy, stage, reader);
  }
}

function asProxyError(error: unknown, proxy: ProxyHop, stage: string, reader: ExactReader): unknown {
  const { hop, host, port } = proxy;
  // What it said in its own language, an error page of HTTP most likely, tells more than what SOCKS is not.
  const isForeign = isWinRmError(error, 'proxy.not-a-proxy') && stage === 'greeting';
  if (isForeign) {
    const startsWith = printableStart(reader.heard);
    return new WinRmError('proxy.not-a-proxy', { ...error.details, startsWith }, error);
  }
  if (!isWinRmError(error, 'http.closed-early')) return withSilentProxy(error, proxy);
  const why = WHY[stage] ?? 'unanswered';
  return new WinRmError('proxy.drops-connection', { hop, host, port, via: '', stage: `SOCKS ${stage}`, why }, error);
}

/** What an end means in place of an answer. OpenSSH's proxy ends so when it could not reach the target. */
const WHY: Readonly<Record<string, DropReason>> = { password: 'asking', connect: 'unsaid' };

/**
 * A proxy of HTTP that is greeted in SOCKS waits for the end of a line that never comes. Greeting takes one round trip and
 * no look at the world, so nobody waits for it as long as for a way through.
 */
export const GREETING_TIMEOUT_MS = 10_000;

async function replyTo(ask: SocksAsk, options: ConnectOptions, reader: ExactReader): Promise<SocksReply> {
  if ('askCredential' in ask) return await askCredential(options);
  const { platform, signal, replyWithinMs } = options;
  const withinMs = ask.stage === 'greeting' ? Math.min(replyWithinMs, GREETING_TIMEOUT_MS) : replyWithinMs;
  return await withDeadline({ platform, signal, withinMs, at: `SOCKS ${ask.stage}` }, (inner) =>
    reader.exchange(ask.send, ask.read, inner),
  );
}

/** Whoever answers for HTTP proxies answers here too; a name and a password are spoken as Basic. RFC 7617, section 2 */
async function askCredential(options: ConnectOptions): Promise<SocksReply> {
  const { proxy, target, answer, signal } = options;
  if (answer === null) return fail('misuse.wrong-state', { action: 'sign in', state: 'no credential' });
  const { hop, host, port } = proxy;
  const challenge = {
    ...{ hop, host, port, kind: 'socks5' as const, target: printAuthority(target), leg: 0 },
    ...{ status: 0, offered: ['Basic'], via: '', proxyStatus: '', text: '' },
  };
  const authorization = await answer(challenge, signal ?? new AbortController().signal);
  const pair = fromBase64(/^Basic ([A-Za-z0-9+/=]+)$/.exec(authorization)?.[1] ?? '') ?? NO_BYTES;
  const colon = pair.indexOf(0x3a);
  return { user: pair.slice(0, Math.max(0, colon)), password: pair.slice(colon + 1) };
}

/** Reads exactly so many bytes and keeps the rest for whoever comes next. */
class ExactReader {
  readonly #stream: ByteStream;
  #unread: Uint8Array = NO_BYTES;
  /** What came with the last bytes, and they themselves. */
  heard: Uint8Array = NO_BYTES;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  async exchange(send: Uint8Array, length: number, signal: AbortSignal): Promise<Uint8Array> {
    if (send.length > 0) await this.#stream.write(send, signal);
    while (this.#unread.length < length) {
      const bytes = await this.#stream.read(signal);
      if (bytes === null) return fail('http.closed-early', { where: 'reply' });
      this.#unread = concatBytes(this.#unread, bytes);
    }
    this.heard = this.#unread;
    const taken = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    return taken;
  }

  takeLeftover(): Uint8Array {
    return this.#unread;
  }
}
