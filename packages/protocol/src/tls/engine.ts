import { equalBytes } from '../bytes/bytes.ts';
import { fail, WinRmError } from '../errors.ts';
import { ALERTS, alertName, alertOf, failWith } from './_alerts.ts';
import type { Ask, ClientCertificate, Connection, Handshake, Reply, Setting } from './_handshake.ts';
import { handshake } from './_hello.ts';
import { MESSAGES, type MessageName, messageName } from './_messages.ts';
import { MAX_RECORDS_PER_KEY } from './_protection.ts';
import type { HandshakeMessage } from './_record.ts';
import type { TlsVersion } from './_suites.ts';
import { type Incoming, Wire } from './_wire.ts';
import type { TrustedPeer } from './trust.ts';
import type { Certificate } from './x509.ts';

export type { ClientCertificate } from './_handshake.ts';
export type { TlsVersion } from './_suites.ts';

/** What the engine has for its driver. */
export type TlsEvent =
  /** Write these bytes to the peer. */
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** The peer has proved that it holds the key of the first certificate: answer with `accept` or `refuse`. */
  | { readonly kind: 'judge'; readonly chain: readonly Uint8Array[] }
  /** The handshake is done; `seal` may be called. Comes once. */
  | { readonly kind: 'ready'; readonly version: TlsVersion; readonly suite: string; readonly group: string }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  /** No more data will come. `isClean` when the peer said so; otherwise the road was cut, or someone wants it to seem so. */
  | { readonly kind: 'closed'; readonly isClean: boolean }
  | { readonly kind: 'need-bytes' };

/** How a connection is to be made. */
export interface TlsEngineOptions {
  /** Name or address of the host; a name is sent as SNI, and the peer must be judged for it. */
  readonly host: string;
  /** Strong random bytes. */
  readonly random: (length: number) => Uint8Array;
  readonly minVersion?: TlsVersion;
  /** CredSSP wants "1.2" here. */
  readonly maxVersion?: TlsVersion;
  /** Shown when the server asks for one; without it the answer is an empty one. */
  readonly clientCertificate?: ClientCertificate | null;
  /** Lets in SHA-1: CBC suites with it, and signatures of TLS 1.2 made with it. */
  readonly allowLegacy?: boolean;
  /** Records one key may carry; for tests. */
  readonly maxRecordsPerKey?: number;
}

/** What the engine is doing. Each state has what it needs and nothing else. */
type State =
  | {
      readonly at: 'handshake';
      readonly exchange: Handshake<Connection>;
      readonly ask: Ask;
      readonly from: Connection | null;
    }
  | { readonly at: 'judgement'; readonly exchange: Handshake<Connection>; readonly leaf: Certificate }
  | { readonly at: 'open'; readonly connection: Connection }
  | { readonly at: 'closed'; readonly isClean: boolean }
  | { readonly at: 'failed'; readonly error: unknown };

/**
 * A TLS 1.3 and 1.2 client without I/O: records in, records out. It is fed, then asked, like every decoder; what it wants
 * sent is an event too. Errors come from `next` only, after the alert that tells the peer, and leave the engine dead.
 *
 * INVARIANT: nothing follows the ClientHello before the peer has proved its key and `accept` was called, but an alert.
 *
 * RFC 8446; RFC 5246
 */
export class TlsEngine {
  readonly #wire = new Wire();
  readonly #setting: Setting;
  #state: State = { at: 'closed', isClean: false };
  #chain: readonly Uint8Array[] = [];
  #peer: TrustedPeer | null = null;
  #isReadyTold = false;
  /** The peer's stream has ended. */
  #isEnded = false;
  /** Our close_notify is out. */
  #isClosing = false;
  /** Plaintext that waits for a renegotiation to end. */
  #held: Uint8Array[] = [];

  /** The ClientHello is the first event. @throws misuse.bad-argument when the versions leave nothing to offer */
  constructor(options: TlsEngineOptions) {
    const { minVersion = '1.2', maxVersion = '1.3' } = options;
    if (minVersion > maxVersion) fail('misuse.bad-argument', { argument: 'minVersion', reason: 'out-of-range' });
    this.#setting = {
      wire: this.#wire,
      host: options.host,
      random: options.random,
      minVersion,
      maxVersion,
      clientCertificate: options.clientCertificate ?? null,
      allowLegacy: options.allowLegacy ?? false,
      maxRecordsPerKey: options.maxRecordsPerKey ?? MAX_RECORDS_PER_KEY,
      wasAskedForCertificate: false,
    };
    this.#resume(handshake(this.#setting, null), null, null);
  }

  /** The certificates the peer showed, DER, its own first; empty before. */
  get peerChain(): readonly Uint8Array[] {
    return this.#chain;
  }

  /** The peer, once trusted. */
  get peer(): TrustedPeer | null {
    return this.#peer;
  }

  /** Where it stands. A renegotiation is 'handshake' too: what is sealed then waits for its end. */
  get state(): 'handshake' | 'judgement' | 'open' | 'closed' | 'failed' {
    return this.#state.at;
  }

  /** What is to be sent, if anything: for a driver that writes while a read is under way. `next` gives it as an event. */
  takeOutput(): Uint8Array | null {
    return this.#wire.takeOutput();
  }

  /** Stores what came from the peer; once the connection is over it is dropped. */
  feed(ciphertext: Uint8Array): void {
    if (this.#state.at !== 'closed' && this.#state.at !== 'failed') this.#wire.feed(ciphertext);
  }

  /** Nothing more will come. */
  feedEnd(): void {
    this.#isEnded = true;
  }

  /**
   * What is to be done next. What is to be sent comes before everything else; `judge` comes again until it is answered.
   * @throws tls.*, http.closed-early; from then on always the same
   */
  next(): TlsEvent {
    for (;;) {
      const bytes = this.#wire.takeOutput();
      if (bytes !== null) return { kind: 'send', bytes };
      if (this.#state.at === 'failed') throw this.#state.error;
      try {
        const event = this.#step();
        if (event !== null) return event;
      } catch (error) {
        this.#die(error);
      }
    }
  }

  /** The peer may be talked to. @throws misuse.wrong-state when nobody asked, or another peer was judged */
  accept(peer: TrustedPeer): void {
    const state = this.#state;
    if (state.at !== 'judgement') fail('misuse.wrong-state', { action: 'accept', state: state.at });
    const isSame = equalBytes(peer.certificate.der, state.leaf.der) && peer.host === this.#setting.host;
    if (!isSame) fail('misuse.wrong-state', { action: 'accept', state: 'another peer was judged' });
    this.#peer = peer;
    this.#resume(state.exchange, peer, null);
  }

  /** The peer may not be talked to: it gets an alert, chosen by the reason, and nothing else. */
  refuse(reason?: WinRmError): void {
    if (this.#state.at !== 'judgement') fail('misuse.wrong-state', { action: 'refuse', state: this.#state.at });
    this.#wire.sendAlert(reason === undefined ? 'certificate_unknown' : alertOf(reason), 'fatal');
    this.#isClosing = true;
    this.#state = { at: 'closed', isClean: true };
  }

  /** Encrypts data for the peer. @throws misuse.wrong-state before `ready` and after `close` */
  seal(plaintext: Uint8Array): void {
    const state = this.#state;
    if (state.at === 'handshake' && state.from !== null && !this.#isClosing) {
      this.#held.push(plaintext.slice());
      return;
    }
    if (state.at !== 'open' || this.#isClosing) fail('misuse.wrong-state', { action: 'seal', state: state.at });
    if (plaintext.length === 0) return;
    try {
      state.connection.prepareToSend();
      this.#wire.sendData(plaintext);
    } catch (error) {
      this.#die(error);
    }
  }

  /** Says that no more data goes to the peer; what comes is still read. Before `ready` it ends the handshake. */
  close(): void {
    if (this.#isClosing || this.#state.at === 'failed') return;
    this.#isClosing = true;
    if (this.#state.at === 'handshake' || this.#state.at === 'judgement') {
      this.#wire.sendAlert('user_canceled', 'warning');
      this.#state = { at: 'closed', isClean: true };
    }
    this.#wire.sendAlert('close_notify', 'warning');
  }

  /** Forgets the keys; nothing goes or comes any more. */
  destroy(): void {
    if (this.#state.at !== 'failed') this.#state = { at: 'closed', isClean: false };
    this.#isClosing = true;
    this.#held = [];
    this.#wire.destroy();
  }

  #step(): TlsEvent | null {
    const state = this.#state;
    if (state.at === 'judgement') return { kind: 'judge', chain: this.#chain };
    if (state.at === 'closed') return { kind: 'closed', isClean: state.isClean };
    if (state.at === 'open' && !this.#isReadyTold) {
      this.#isReadyTold = true;
      const { version, suite, group } = state.connection;
      return { kind: 'ready', version, suite: suite.name, group };
    }
    const incoming = this.#wire.pull();
    if (incoming !== 'need-bytes') return this.#take(incoming);
    if (!this.#isEnded) return { kind: 'need-bytes' };
    if (state.at !== 'open') fail('http.closed-early', { where: 'TLS handshake' });
    this.#state = { at: 'closed', isClean: false };
    return null;
  }

  #take(incoming: Incoming): TlsEvent | null {
    const state = this.#state;
    if (incoming.kind === 'alert') {
      this.#takeAlert(incoming.level, incoming.alert);
    } else if (state.at === 'open') {
      if (incoming.kind === 'data') return incoming;
      const { connection } = state;
      if (incoming.kind !== 'message' || !isAccepted(incoming.message, connection.accepts)) {
        return unexpected(['application data', ...connection.accepts], incoming);
      }
      const next = connection.take(incoming.message);
      // A renegotiation would have to be answered, and our direction may be at its end.
      if (next !== null && !this.#isClosing) this.#resume(next, null, connection);
    } else if (state.at === 'handshake') {
      const { exchange, ask, from } = state;
      if (ask.want === 'message' && incoming.kind === 'message' && isAccepted(incoming.message, ask.accepts)) {
        this.#resume(exchange, incoming.message, from);
      } else if (ask.want === 'change-cipher-spec' && incoming.kind === 'change-cipher-spec') {
        this.#resume(exchange, null, from);
      } else return unexpected(ask.want === 'message' ? ask.accepts : ['ChangeCipherSpec'], incoming);
    }
    return null;
  }

  /** Lets the handshake go on until it waits again or is done. Its errors wait for `next`. */
  #resume(exchange: Handshake<Connection>, reply: Reply, from: Connection | null): void {
    try {
      const step = exchange.next(reply);
      if (step.done === true) {
        this.#state = { at: 'open', connection: step.value };
        const held = this.#held;
        this.#held = [];
        for (const plaintext of held) this.seal(plaintext);
      } else if (step.value.want === 'judgement') {
        this.#chain = step.value.chain;
        this.#state = { at: 'judgement', exchange, leaf: step.value.leaf };
      } else this.#state = { at: 'handshake', exchange, ask: step.value, from };
    } catch (error) {
      this.#die(error);
    }
  }

  #takeAlert(level: number, alert: number): void {
    const state = this.#state;
    if (alert === ALERTS.close_notify && !(state.at === 'handshake' && state.from === null)) {
      // RFC 5246, section 7.2.1: TLS 1.2 answers in kind; TLS 1.3 leaves our direction open
      if (state.at === 'open' && state.connection.version === '1.2') this.close();
      this.#state = { at: 'closed', isClean: true };
      return;
    }
    const isRemark = alert === ALERTS.user_canceled || (alert === ALERTS.unrecognized_name && level === WARNING);
    if (isRemark) {
      this.#wire.countIdle();
      return;
    }
    this.#isClosing = true; // an alert ends both directions: nothing is answered
    this.#die(this.#alertError(alertName(alert), alert));
  }

  #alertError(name: string, alert: number): WinRmError {
    const state = this.#state;
    const { wasAskedForCertificate, clientCertificate } = this.#setting;
    if (state.at === 'handshake' && state.from === null && state.ask.want === 'message') {
      const isFirst = state.ask.accepts.includes('ServerHello');
      if (isFirst && NO_COMMON_GROUND.includes(alert)) return new WinRmError('tls.no-common-suite', { received: name });
    }
    if (wasAskedForCertificate && clientCertificate !== null && CERTIFICATE_REFUSED.includes(alert)) {
      return new WinRmError('tls.client-certificate', { problem: `the host refused it (${name})` });
    }
    if (wasAskedForCertificate && clientCertificate === null && CERTIFICATE_MISSED.includes(alert)) {
      return new WinRmError('tls.client-certificate', { problem: `the host insists on one (${name})` });
    }
    return new WinRmError('tls.alert', { alert: name, stage: state.at === 'open' ? 'data' : 'handshake' });
  }

  /** Tells the peer why, unless the peer is gone or knows, and is dead from then on. */
  #die(error: unknown): void {
    if (this.#state.at === 'failed') return;
    this.#state = { at: 'failed', error };
    this.#held = [];
    if (this.#isEnded || this.#isClosing) return;
    this.#isClosing = true;
    try {
      this.#wire.sendAlert(alertOf(error), 'fatal');
    } catch {
      // the key has sealed all it may: the peer will see the connection end
    }
  }
}

const WARNING = 1;
const NO_COMMON_GROUND: readonly number[] = [
  ALERTS.handshake_failure,
  ALERTS.protocol_version,
  ALERTS.insufficient_security,
];
const CERTIFICATE_REFUSED: readonly number[] = [
  ALERTS.bad_certificate,
  ALERTS.unsupported_certificate,
  ALERTS.certificate_revoked,
  ALERTS.certificate_expired,
  ALERTS.certificate_unknown,
  ALERTS.unknown_ca,
  ALERTS.access_denied,
];
const CERTIFICATE_MISSED: readonly number[] = [
  ALERTS.certificate_required,
  ALERTS.handshake_failure,
  ALERTS.bad_certificate,
];

function isAccepted(message: HandshakeMessage, names: readonly MessageName[]): boolean {
  return names.some((name) => MESSAGES[name] === message.type);
}

function unexpected(expected: readonly string[], incoming: Incoming): never {
  const received =
    incoming.kind === 'message'
      ? messageName(incoming.message.type)
      : incoming.kind === 'data'
        ? 'application data'
        : 'ChangeCipherSpec';
  failWith('unexpected_message', 'tls.unexpected-message', { expected: expected.join(' or '), received });
}
