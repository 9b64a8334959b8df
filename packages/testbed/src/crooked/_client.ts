import { concatBytes, utf8Encode } from '../../../protocol/src/bytes/bytes.ts';
import type { ByteStream } from '../../../protocol/src/bytes/stream.ts';
import { type DecodedRequest, RequestDecoder } from '../../../protocol/src/http/request-decoder.ts';
import type { AllowedTarget } from '../connect-proxy.ts';
import { Gate } from './_gate.ts';
import type { Upstream } from './_pairing.ts';
import { Tunnel } from './_tunnel.ts';
import { encodeReply, goingOn, INJECTED, ownPage, passedOn, type Reply, WAYS } from './_ways.ts';
import { dribbling, IdleClock, tapped } from './_wire.ts';
import type { ProxyScene } from './crooked-proxy.ts';

/** [MS-WSMV] largest envelope, sealed, with room; a proxy holds whole requests and replies here. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const DEFAULT_IDLE_MS = 10_000;
/** The first byte of a TLS handshake record. RFC 8446, section 5.1 */
const TLS_HANDSHAKE = 22;

/** One client connection of a crooked proxy. */
export class Client {
  readonly #number: number;
  readonly #stream: ByteStream;
  readonly #scene: ProxyScene;
  readonly #gate: Gate;
  readonly #idle: IdleClock | null;
  #decoder = new RequestDecoder({ bodyBytes: MAX_BODY_BYTES });
  /** After a CONNECT was agreed to: where it leads, and once it is known that its bytes are passed on, the tunnel. */
  #agreed: { readonly target: AllowedTarget; readonly key: string } | null = null;
  #tunnel: Tunnel | null = null;
  #isReadingTunnel = false;
  /** Requests that were carried. */
  #turns = 0;
  #turn: Promise<void> = Promise.resolve();
  #isOver = false;
  #hasDribbled = false;

  constructor(number: number, stream: ByteStream, scene: ProxyScene) {
    const { crookedness, options } = scene;
    this.#number = number;
    this.#scene = scene;
    this.#gate = new Gate(scene);
    this.#idle =
      crookedness === 'cuts-idle' ? new IdleClock(options.idleMs ?? DEFAULT_IDLE_MS, () => this.#cutIdle()) : null;
    const { onBytes } = options;
    this.#stream = tapped(
      crookedness === 'dribbles' ? dribbling(stream) : stream,
      (bytes) => this.#see('to-target', bytes, onBytes),
      (bytes) => this.#see('to-client', bytes, onBytes),
    );
  }

  /** Serves the connection to its end. Never rejects. */
  async run(): Promise<void> {
    try {
      for (let bytes = await this.#stream.read(); bytes !== null; bytes = await this.#stream.read()) {
        await this.#take(bytes);
      }
      if (this.#tunnel !== null) return await this.#tunnel.feedEnd();
      this.cut();
    } catch {
      // What a client, an upstream or the way itself broke ends the connection, and nothing else.
      this.cut();
    }
  }

  /** Ends the connection and what only it uses. */
  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#idle?.stop();
    this.#stream.destroy();
    this.#tunnel?.close();
    this.#scene.pairing.clientLeft(this.#number);
  }

  async #take(bytes: Uint8Array): Promise<void> {
    if (this.#tunnel !== null) return await this.#tunnel.feed(bytes);
    if (this.#agreed !== null && !this.#isReadingTunnel) return await this.#beginTunnel(this.#agreed, bytes);
    this.#decoder.feed(bytes);
    for (let request = this.#decoder.next(); request !== 'need-bytes'; request = this.#decoder.next()) {
      if (request.method === 'CONNECT' && this.#agreed === null) {
        await this.#connect(request);
        const early = this.#decoder.takeLeftover();
        if (this.#agreed !== null && early.length > 0) return await this.#take(early);
      } else this.#queue(request);
    }
  }

  /** One after the other; the connection is read meanwhile, so that its end is known. */
  #queue(request: DecodedRequest): void {
    this.#turn = this.#turn.then(() => this.#carry(request)).catch(() => this.cut());
  }

  async #connect(request: DecodedRequest): Promise<void> {
    const refusal = this.#gate.judge(request);
    if (refusal !== null) return await this.#say(request, refusal);
    const target = addressIn(request.target);
    if (target === null) return await this.#say(request, ownPage(400, 'Bad Request', 'CONNECT needs host and port.'));
    if (!this.#scene.isAllowed(target)) return await this.#say(request, FORBIDDEN);
    const { crookedness } = this.#scene;
    if (crookedness === 'answers-html-after-200') return await this.#answerInPlace(request);
    const version = crookedness === 'speaks-http-1.0' ? '1.0' : '1.1';
    if (version === '1.0') this.#bent();
    this.#scene.journal.record({
      ...{ event: 'answered', client: this.#number, method: 'CONNECT' },
      target: request.target,
      status: 200,
    });
    await this.#stream.write(utf8Encode(`HTTP/${version} 200 Connection established\r\n\r\n`));
    this.#agreed = { target, key: request.target };
    this.#decoder = new RequestDecoder({ bodyBytes: MAX_BODY_BYTES });
  }

  /** The first bytes in a tunnel say what it carries. */
  async #beginTunnel({ target, key }: { target: AllowedTarget; key: string }, first: Uint8Array): Promise<void> {
    const { crookedness, inspector } = this.#scene;
    const isTls = first[0] === TLS_HANDSHAKE;
    if (WAYS[crookedness].readsTunnels && !isTls) {
      this.#isReadingTunnel = true;
      return await this.#take(first);
    }
    const isInspected = inspector !== null && isTls;
    if (isInspected) this.#bent();
    const place = isInspected ? await inspector.placeFor(target) : target;
    const tunnel = new Tunnel(this.#number, this.#stream, place, key, this.#scene);
    await tunnel.open();
    this.#tunnel = tunnel;
    await tunnel.feed(first);
  }

  /** A success with a page, where a success means that the target is on the line. */
  async #answerInPlace(request: DecodedRequest): Promise<void> {
    this.#bent();
    await this.#say(request, CAPTIVE_PAGE);
    await this.#stream.end();
  }

  async #carry(request: DecodedRequest): Promise<void> {
    const { pairing, crookedness, journal } = this.#scene;
    const isTunnelled = this.#agreed !== null;
    const refusal = isTunnelled ? null : this.#gate.judge(request);
    if (refusal !== null) return await this.#say(request, refusal);
    const { target, path } = isTunnelled
      ? { target: this.#agreed?.target, path: request.target }
      : placeIn(request.target);
    if (target === undefined) return await this.#say(request, NOT_ABSOLUTE);
    if (!this.#scene.isAllowed(target)) return await this.#say(request, FORBIDDEN);
    if (crookedness === 'answers-html-after-200') return await this.#answerInPlace(request);
    const upstream = await pairing.take(this.#number, target);
    if (this.#isMispaired(upstream)) this.#bent();
    journal.record({ event: 'carried', client: this.#number, upstream: upstream.number, how: 'request' });
    const via: Reply['fields'] = isTunnelled ? [] : [['Via', VIA]];
    try {
      const reply = await upstream.exchange(goingOn(request, path, via));
      // The connection is another's before the client has its reply: nothing it says next may find it taken away.
      pairing.giveBack(this.#number, upstream);
      this.#turns += 1;
      const promise = this.#promises(reply.status) ? ([PROMISE] as const) : [];
      await this.#pass(passedOn(reply, [...via, ...promise]), WAYS[crookedness].closesAfter?.(reply, request) ?? false);
    } catch (error) {
      pairing.giveBack(this.#number, upstream);
      throw error;
    }
  }

  /** Writes a target's reply as this proxy would have it. */
  async #pass(reply: Reply, isLast: boolean): Promise<void> {
    const { crookedness } = this.#scene;
    const isPastCalm = this.#turns > this.#scene.calmTurns(CALM_REPLIES);
    const bent = WAYS[crookedness].bend?.(reply) ?? reply;
    if (bent !== reply || isLast) this.#bent();
    if (crookedness === 'injects' && isPastCalm) {
      this.#bent();
      return await this.#stream.write(encodeReply({ ...bent, body: concatBytes(bent.body, INJECTED) }));
    }
    const bytes = encodeReply(bent);
    if (crookedness === 'truncates' && isPastCalm) {
      this.#bent();
      await this.#stream.write(bytes.subarray(0, bytes.length - (bent.body.length >> 1) - 1));
      return await this.#stream.end();
    }
    await this.#stream.write(bytes);
    if (isLast) await this.#stream.end();
  }

  /** Says something of the proxy's own. */
  async #say({ method, target }: DecodedRequest, reply: Reply): Promise<void> {
    if (reply.status === 401 || reply.status === 407) this.#bent();
    this.#scene.journal.record({ event: 'answered', client: this.#number, method, target, status: reply.status });
    const version = this.#scene.crookedness === 'speaks-http-1.0' ? '1.0' : '1.1';
    await this.#stream.write(encodeReply({ ...reply, version, fields: [['Via', VIA], ...reply.fields] }));
  }

  /** RFC 4559, section 6: a proxy that keeps a client's connection and the server's together says so. */
  #promises(status: number): boolean {
    return status === 401 && this.#agreed === null && WAYS[this.#scene.crookedness].pairing === 'kept';
  }

  /** Whether a connection was another client's before, or the client had another one. */
  #isMispaired({ number }: Upstream): boolean {
    const { journal } = this.#scene;
    const before = journal.upstreamsOf(this.#number);
    return (
      (before.length > 0 && !before.includes(number)) || journal.clientsOf(number).some((one) => one !== this.#number)
    );
  }

  #cutIdle(): void {
    if (this.#isOver) return;
    this.#bent();
    this.cut();
  }

  #bent(): void {
    const { journal, crookedness: what } = this.#scene;
    journal.record({ event: 'bent', client: this.#number, what });
  }

  #see(
    direction: 'to-target' | 'to-client',
    bytes: Uint8Array,
    onBytes: ((direction: 'to-target' | 'to-client', bytes: Uint8Array) => void) | undefined,
  ): void {
    this.#idle?.touch();
    if (this.#scene.crookedness === 'dribbles' && !this.#hasDribbled) this.#bent();
    this.#hasDribbled = true;
    onBytes?.(direction, bytes);
  }
}

const VIA = '1.1 crooked-proxy';
const PROMISE = ['Proxy-Support', 'Session-Based-Authentication'] as const;
/** A sign-in over http. */
const CALM_REPLIES = 2;
const FORBIDDEN = ownPage(403, 'Forbidden', 'This proxy leads elsewhere.');
const NOT_ABSOLUTE = ownPage(400, 'Bad Request', 'A proxy is asked for whole http URLs.');
const CAPTIVE_PAGE = ownPage(200, 'Welcome to the guest network', 'Please accept the terms of use.');

/** host:port or [v6]:port; the host without brackets. RFC 9112, section 3.2.3 */
function addressIn(text: string): AllowedTarget | null {
  const match = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}

/** The two parts of an absolute form. RFC 9112, section 3.2.2 */
function placeIn(target: string): { target: AllowedTarget | undefined; path: string } {
  const match = /^http:\/\/([^/?#@]+)(\/.*)?$/i.exec(target);
  const authority = match?.[1] ?? '';
  const address = addressIn(/:\d+$/.test(authority) ? authority : `${authority}:80`);
  return { target: address ?? undefined, path: match?.[2] ?? '/' };
}
