import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isWinRmError } from '../../protocol/src/errors.ts';
import type { AccountBook, KnownAccount } from './accounts.ts';
import type { HostJournal } from './journal.ts';
import { MUTUAL_PROFILE, readBasic, readCertificate } from './logon.ts';
import { NegotiateAcceptor } from './negotiate-acceptor.ts';
import type { AcceptedPeer } from './ntlm-acceptor.ts';
import { Refusal } from './refusal.ts';
import { type ChannelRules, SecureChannel } from './secure-channel.ts';
import { userName } from './winrs.ts';

/** The verdict on one Authorization header. */
export type LegVerdict =
  | { readonly at: 'continues'; readonly header: string }
  /** `peer` is who sent this request; whether later ones may come without the header, the connection knows. */
  | { readonly at: 'accepted'; readonly header: string | null; readonly peer: AcceptedPeer }
  | { readonly at: 'refused'; readonly status: 401 | 403 | 503 }
  /** The connection is to be cut without an answer. */
  | { readonly at: 'cut' };

/** What one listener offers and asks. */
export interface ListenerRules {
  /** Values of WWW-Authenticate, in this order. Those of schemes the host does not know are there to be passed over. */
  readonly offers: readonly string[];
  /** Null without TLS. */
  readonly tls: ChannelRules | null;
}

/** What a connection needs to know of its host. */
export interface ConnectionHost {
  readonly accounts: AccountBook;
  readonly computerName: string;
  readonly journal: HostJournal;
}

/** A guesser needs a new connection after this many failures. */
const MAX_REFUSALS = 5;

/**
 * The state of one TCP connection: who it belongs to, its keys, how much it was used.
 *
 * INVARIANT: authentication and keys belong to the connection; nothing of them is found on another.
 */
export class HostConnection {
  readonly number: number;
  readonly address: string;
  readonly rules: ListenerRules;
  requestCount = 0;
  /** Whoever signed in on this connection, with the keys they agreed on. Basic and certificates sign in no connection. */
  peer: AcceptedPeer | null = null;
  readonly #host: ConnectionHost;
  readonly #raw: Socket;
  #channel: SecureChannel | null = null;
  #acceptor: NegotiateAcceptor | null = null;
  /** Who came with Basic or a certificate last, so that the journal names them once. */
  #lastVisitor = '';
  #refusalCount = 0;
  #turn: Promise<void> = Promise.resolve();
  #idle: NodeJS.Timeout | null = null;

  constructor(number: number, socket: Socket, rules: ListenerRules, host: ConnectionHost) {
    this.number = number;
    this.rules = rules;
    this.address = socket.remoteAddress ?? '';
    this.#raw = socket;
    this.#host = host;
    const { journal } = host;
    const listener = rules.tls === null ? 'http' : 'https';
    const peer = `${this.address}:${socket.remotePort ?? 0}`;
    journal.record({ event: 'open', connection: number, listener, peer });
    socket.on('close', () => {
      this.stopIdling();
      this.peer?.sealing?.destroy();
      const { bytesRead: bytesReceived, bytesWritten: bytesSent } = socket;
      journal.record({ event: 'close', connection: number, bytesReceived, bytesSent });
    });
  }

  /** Whether what is said here is said inside TLS. */
  get isSecure(): boolean {
    return this.#channel !== null;
  }

  /** Whether it tried too many passwords. */
  get isWornOut(): boolean {
    return this.#refusalCount >= MAX_REFUSALS;
  }

  /** The TLS handshake is done. */
  secured(socket: TLSSocket, rules: ChannelRules): void {
    const channel = new SecureChannel(socket, rules);
    this.#channel = channel;
    const { version, suite, isResumed } = channel;
    this.#host.journal.record({ event: 'tls', connection: this.number, version, suite, isResumed, failure: '' });
  }

  /** The TLS handshake has failed. */
  failedToSecure(failure: string): void {
    const none = { version: '', suite: '', isResumed: false };
    this.#host.journal.record({ event: 'tls', connection: this.number, ...none, failure });
  }

  /** Ends the connection in the middle of whatever it is doing, TLS included. */
  cut(how: 'finish' | 'reset' = 'finish'): void {
    if (how === 'reset') this.#raw.resetAndDestroy();
    else this.#raw.destroy();
    this.#channel?.socket.destroy();
  }

  /** One request after the other: sealing counts messages in wire order. */
  inTurn(exchange: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(exchange);
    return this.#turn;
  }

  /** Closes the connection after so many milliseconds without a request. */
  startIdling(timeoutMs: number): void {
    this.stopIdling();
    if (this.#raw.destroyed) return;
    this.#idle = setTimeout(() => (this.#channel?.socket ?? this.#raw).destroySoon(), timeoutMs).unref();
  }

  /** A request is here. */
  stopIdling(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }

  /** Judges the Authorization header of a request. */
  async authenticate(request: IncomingMessage): Promise<LegVerdict> {
    const [scheme = '', text = ''] = (request.headers.authorization ?? '').split(/ +/, 2);
    if (scheme.toLowerCase() === MUTUAL_PROFILE && this.#channel?.admitsCertificates === true)
      return this.#logOnWithCertificate(this.#channel);
    const offered = this.rules.offers.map((offer) => (offer.split(' ', 1)[0] ?? '').toLowerCase());
    const known = SCHEMES.find((each) => each.toLowerCase() === scheme.toLowerCase());
    if (known === undefined || !offered.includes(known.toLowerCase()))
      return this.#refuse(known ?? '', '', 'a scheme that was not offered');
    if (known === 'Basic') return this.#logOnWithPassword(text);
    return this.#takeToken(known, text);
  }

  /** Takes one token. A first token starts anew and drops what the connection had. */
  #takeToken(scheme: 'Negotiate' | 'NTLM', text: string): LegVerdict {
    if (this.#acceptor === null) {
      this.#forgetPeer();
      const { accounts, computerName } = this.#host;
      this.#acceptor = new NegotiateAcceptor(accounts, computerName, scheme, this.#channel?.binding ?? null);
    }
    const acceptor = this.#acceptor;
    try {
      const step = acceptor.step(decodeToken(text));
      const header = step.token === null ? null : `${scheme} ${Buffer.from(step.token).toString('base64')}`;
      if (!step.isFinished) {
        this.#record(scheme, acceptor.dialect, 'continues', '', '');
        return { at: 'continues', header: header ?? scheme };
      }
      this.#acceptor = null;
      this.peer = step.peer;
      this.#record(scheme, acceptor.dialect, 'accepted', userName(step.peer.account), '');
      return { at: 'accepted', header, peer: step.peer };
    } catch (error) {
      return this.#refuse(scheme, acceptor.dialect, reasonOf(error));
    }
  }

  #logOnWithPassword(text: string): LegVerdict {
    this.#forgetPeer();
    try {
      if (this.#channel === null) throw new Refusal('a password in the clear');
      return this.#visit('Basic', readBasic(text, this.#host.accounts));
    } catch (error) {
      return this.#refuse('Basic', 'Basic', reasonOf(error));
    }
  }

  async #logOnWithCertificate(channel: SecureChannel): Promise<LegVerdict> {
    this.#forgetPeer();
    // Windows Server 2022 answers so when a session of TLS 1.3 was resumed: the certificate is not part of it.
    if (channel.isResumed && channel.version === 'TLSv1.3')
      return this.#refuse('Certificate', 'Certificate', 'a resumed session', 503);
    const certificate: X509Certificate | null | 'impossible' = await channel.clientCertificate();
    if (certificate === 'impossible') {
      this.#refuse('Certificate', 'Certificate', 'no certificate, and no way to ask for one');
      return { at: 'cut' };
    }
    if (certificate === null) return this.#refuse('Certificate', 'Certificate', 'no certificate', 403);
    try {
      return this.#visit('Certificate', readCertificate(certificate, this.#host.accounts));
    } catch (error) {
      return this.#refuse('Certificate', 'Certificate', reasonOf(error));
    }
  }

  #visit(scheme: 'Basic' | 'Certificate', account: KnownAccount): LegVerdict {
    const visitor = `${scheme} ${userName(account)}`;
    if (visitor !== this.#lastVisitor) this.#record(scheme, scheme, 'accepted', userName(account), '');
    this.#lastVisitor = visitor;
    return { at: 'accepted', header: null, peer: { account, sealing: null } };
  }

  #refuse(scheme: string, dialect: string, reason: string, status: 401 | 403 | 503 = 401): LegVerdict {
    this.#forgetPeer();
    this.#lastVisitor = '';
    this.#refusalCount += 1;
    this.#record(scheme, dialect, 'refused', '', reason);
    return { at: 'refused', status };
  }

  #forgetPeer(): void {
    this.#acceptor = null;
    this.peer?.sealing?.destroy();
    this.peer = null;
  }

  #record(
    scheme: string,
    dialect: string,
    outcome: 'continues' | 'accepted' | 'refused',
    user: string,
    reason: string,
  ): void {
    this.#host.journal.record({ event: 'leg', connection: this.number, scheme, dialect, outcome, user, reason });
  }
}

/** Schemes this host knows. Which of them it offers is a setting. */
const SCHEMES = ['Negotiate', 'NTLM', 'Basic'] as const;

/** Why it was refused, in words that hold no secret; a mistake of ours goes on its way. */
function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (isWinRmError(error)) return error.code;
  throw error;
}

/** Largest token looked at: NTLM with every field full is far smaller, and so is what Node lets through as a head. */
const MAX_TOKEN_CHARS = 64 * 1024;

function decodeToken(text: string): Uint8Array {
  if (text === '' || text.length > MAX_TOKEN_CHARS || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new Refusal('a token that is not base64');
  }
  return new Uint8Array(Buffer.from(text, 'base64'));
}
