import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { isWinRmError } from '../../protocol/src/errors.ts';
import type { AccountBook } from './accounts.ts';
import type { HostJournal } from './journal.ts';
import { NegotiateAcceptor } from './negotiate-acceptor.ts';
import type { AcceptedPeer } from './ntlm-acceptor.ts';
import { Refusal } from './refusal.ts';
import { userName } from './winrs.ts';

/** The verdict on one Authorization header. */
export type LegVerdict =
  | { readonly at: 'continues'; readonly header: string }
  | { readonly at: 'accepted'; readonly header: string | null }
  | { readonly at: 'refused' };

/** A guesser needs a new connection after this many failures. */
const MAX_REFUSALS = 5;

/**
 * The state of one TCP connection: who it belongs to, its keys, how much it was used.
 *
 * INVARIANT: authentication and keys belong to the connection; nothing of them is found on another.
 */
export class HostConnection {
  readonly number: number;
  readonly socket: Socket;
  readonly address: string;
  requestCount = 0;
  /** Whoever signed in on this connection, with the keys they agreed on. */
  peer: AcceptedPeer | null = null;
  readonly #journal: HostJournal;
  #acceptor: NegotiateAcceptor | null = null;
  #refusalCount = 0;
  #turn: Promise<void> = Promise.resolve();
  #idle: NodeJS.Timeout | null = null;

  constructor(number: number, socket: Socket, journal: HostJournal) {
    this.number = number;
    this.socket = socket;
    this.address = socket.remoteAddress ?? '';
    this.#journal = journal;
    journal.record({ event: 'open', connection: number, peer: `${this.address}:${socket.remotePort ?? 0}` });
    socket.on('close', () => {
      this.stopIdling();
      this.peer?.sealing?.destroy();
      const { bytesRead: bytesReceived, bytesWritten: bytesSent } = socket;
      journal.record({ event: 'close', connection: number, bytesReceived, bytesSent });
    });
  }

  /** Whether it tried too many passwords. */
  get isWornOut(): boolean {
    return this.#refusalCount >= MAX_REFUSALS;
  }

  /** One request after the other: sealing counts messages in wire order. */
  inTurn(exchange: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(exchange);
    return this.#turn;
  }

  /** Closes the connection after so many milliseconds without a request. */
  startIdling(timeoutMs: number): void {
    this.stopIdling();
    if (!this.socket.destroyed) this.#idle = setTimeout(() => this.socket.destroySoon(), timeoutMs).unref();
  }

  /** A request is here. */
  stopIdling(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }

  /** Takes one token. A first token starts anew and drops what the connection had. */
  authenticate(request: IncomingMessage, accounts: AccountBook, computerName: string): LegVerdict {
    const [scheme = '', text = ''] = (request.headers.authorization ?? '').split(/ +/, 2);
    const known = SCHEMES.find((each) => each.toLowerCase() === scheme.toLowerCase());
    if (known === undefined) return this.#refuse(scheme, '', 'a scheme that was not offered');
    if (this.#acceptor === null) {
      this.#forgetPeer();
      this.#acceptor = new NegotiateAcceptor(accounts, computerName, known);
    }
    const acceptor = this.#acceptor;
    try {
      const step = acceptor.step(decodeToken(text));
      const header = step.token === null ? null : `${known} ${Buffer.from(step.token).toString('base64')}`;
      if (!step.isFinished) {
        this.#record(known, acceptor.dialect, 'continues', '', '');
        return { at: 'continues', header: header ?? known };
      }
      this.#acceptor = null;
      this.peer = step.peer;
      this.#record(known, acceptor.dialect, 'accepted', userName(step.peer.account), '');
      return { at: 'accepted', header };
    } catch (error) {
      if (error instanceof Refusal) return this.#refuse(known, acceptor.dialect, error.message);
      if (isWinRmError(error)) return this.#refuse(known, acceptor.dialect, error.code);
      throw error;
    }
  }

  #refuse(scheme: string, dialect: string, reason: string): LegVerdict {
    this.#acceptor = null;
    this.#forgetPeer();
    this.#refusalCount += 1;
    this.#record(scheme, dialect, 'refused', '', reason);
    return { at: 'refused' };
  }

  #forgetPeer(): void {
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
    this.#journal.record({ event: 'leg', connection: this.number, scheme, dialect, outcome, user, reason });
  }
}

/** Schemes this host knows. Which of them it offers is a setting. */
export const SCHEMES = ['Negotiate', 'NTLM'] as const;

/** Largest token looked at: NTLM with every field full is far smaller, and so is what Node lets through as a head. */
const MAX_TOKEN_CHARS = 64 * 1024;

function decodeToken(text: string): Uint8Array {
  if (text === '' || text.length > MAX_TOKEN_CHARS || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new Refusal('a token that is not base64');
  }
  return new Uint8Array(Buffer.from(text, 'base64'));
}
