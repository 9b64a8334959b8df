import { concatBytes } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/cursor.ts';
import type { HashName } from '../crypto/digest.ts';
import type { PrivateKey } from '../crypto/pubkey.ts';
import { fail } from '../errors.ts';
import { type ClientHello, MESSAGES, type MessageName, type ServerHello } from './_messages.ts';
import type { HandshakeMessage } from './_record.ts';
import { digestOf, type Suite, type TlsVersion } from './_suites.ts';
import type { Wire } from './_wire.ts';
import { TrustedPeer } from './trust.ts';
import type { Certificate } from './x509.ts';

/**
 * What the handshakes of both versions share. A handshake is an exchange: it yields what it waits for, and names the only
 * messages it accepts there; the engine refuses everything else. What a state knows are the variables in scope.
 */

/** What a handshake waits for. */
export type Ask =
  | { readonly want: 'message'; readonly accepts: readonly MessageName[] }
  | { readonly want: 'change-cipher-spec' }
  /** The peer has proved that it holds the key of this certificate; may we talk to it? */
  | { readonly want: 'judgement'; readonly chain: readonly Uint8Array[]; readonly leaf: Certificate };

/** What it is resumed with: what it asked for. */
export type Reply = HandshakeMessage | TrustedPeer | null;

/** A handshake in one of its states. */
export type Handshake<Result> = Generator<Ask, Result, Reply>;

/** A certificate to log on with, and its key. */
export interface ClientCertificate {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly key: PrivateKey;
}

/** What a handshake is given. */
export interface Setting {
  readonly wire: Wire;
  /** Name or address; a name is sent as SNI. */
  readonly host: string;
  readonly random: (length: number) => Uint8Array;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly clientCertificate: ClientCertificate | null;
  readonly allowLegacy: boolean;
  readonly maxRecordsPerKey: number;
  /** Set once the peer has asked for a client certificate: then its alerts about certificates are about ours. */
  wasAskedForCertificate: boolean;
}

/** What the hellos settled. */
export interface Greeting {
  readonly hello: ClientHello;
  readonly answer: ServerHello;
  readonly suite: Suite;
  readonly transcript: Transcript;
}

/** A connection that may carry data. INVARIANT: only a handshake that was given a TrustedPeer makes one. */
export interface Connection {
  readonly version: TlsVersion;
  readonly suite: Suite;
  readonly group: string;
  readonly peer: TrustedPeer;
  /** The handshake messages that may come now. */
  readonly accepts: readonly MessageName[];
  /** Takes a handshake message; returns the handshake it begins, if any. */
  take(message: HandshakeMessage): Handshake<Connection> | null;
  /** Called before data is sealed: the moment to change an old key. */
  prepareToSend(): void;
}

/** Waits for one of these messages. */
export function* message(...accepts: readonly MessageName[]): Handshake<HandshakeMessage> {
  const reply = yield { want: 'message', accepts };
  if (reply === null || reply instanceof TrustedPeer) return fail('misuse.wrong-state', wrongReply);
  return reply;
}

/** Waits for ChangeCipherSpec. */
export function* changeCipherSpec(): Handshake<void> {
  yield { want: 'change-cipher-spec' };
}

/** Waits for the judgement of a peer. */
export function* judgement(chain: readonly Uint8Array[], leaf: Certificate): Handshake<TrustedPeer> {
  const reply = yield { want: 'judgement', chain, leaf };
  if (!(reply instanceof TrustedPeer)) return fail('misuse.wrong-state', wrongReply);
  return reply;
}

const wrongReply = { action: 'resume a handshake', state: 'waiting for something else' };

/** The handshake messages so far, as both sides hash and sign them. A few kilobytes, kept whole until the end. */
export class Transcript {
  #messages: Uint8Array[] = [];

  /** Adds a message, head included. */
  add(raw: Uint8Array): void {
    this.#messages.push(raw);
  }

  /** The hash of all messages so far. */
  hash(name: HashName): Uint8Array {
    return digestOf(name, ...this.#messages);
  }

  /** All messages so far. */
  bytes(): Uint8Array {
    return concatBytes(...this.#messages);
  }

  /** After a HelloRetryRequest the first ClientHello counts by its hash. RFC 8446, section 4.4.1. */
  foldFirstHello(name: HashName): void {
    const hash = this.hash(name);
    this.#messages = [new ByteWriter().u8(MESSAGES.MessageHash).u8(0).u16be(hash.length).bytes(hash).finish()];
  }

  /** A transcript that goes on from here. */
  fork(): Transcript {
    const copy = new Transcript();
    copy.#messages = [...this.#messages];
    return copy;
  }
}
