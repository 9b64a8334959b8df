import { concatBytes } from '../bytes/bytes.ts';
import { ALERTS, type AlertName, failWith } from './_alerts.ts';
import {
  CONTENT,
  HandshakeJoiner,
  type HandshakeMessage,
  MAX_PLAIN_BYTES,
  type Opener,
  plainOpener,
  plainSealer,
  RecordReader,
  type Sealer,
} from './_record.ts';

/** What came in, below the meaning of handshake messages. */
export type Incoming =
  | { readonly kind: 'message'; readonly message: HandshakeMessage }
  | { readonly kind: 'change-cipher-spec' }
  | { readonly kind: 'alert'; readonly level: number; readonly alert: number }
  | { readonly kind: 'data'; readonly bytes: Uint8Array };

/** Legacy versions in the heads of unprotected records. RFC 8446, section 5.1 and appendix D.4. */
export const FIRST_RECORD_VERSION = 0x0301;
const RECORD_VERSION = 0x0303;

/** Tickets, key updates, warnings and empty records in a row, without any data: more is a flood. OpenSSL allows 32 too. */
export const MAX_IDLE_RECORDS = 32;

/** Records under their current keys, both ways. Everything a handshake does to the connection it does here. */
export class Wire {
  readonly #reader = new RecordReader();
  readonly #joiner = new HandshakeJoiner();
  #opener: Opener = plainOpener;
  #sealer: Sealer = plainSealer(FIRST_RECORD_VERSION);
  #output: Uint8Array[] = [];
  /** How many unprotected ChangeCipherSpec records TLS 1.3 still drops. RFC 8446, appendix D.4. */
  #ccsAllowance = 0;
  #idleCount = 0;
  /** A closure alert is out, after which nothing may follow. */
  #isOutputEnded = false;

  /** Stores bytes from the peer. */
  feed(bytes: Uint8Array): void {
    this.#reader.feed(bytes);
  }

  /** Whether part of a record or of a handshake message waits for the rest. */
  get isInMiddle(): boolean {
    return this.#reader.waitingBytes > 0 || !this.#joiner.isEmpty;
  }

  /** Records sealed under the current key. */
  get sealedCount(): number {
    return this.#sealer.count;
  }

  /** The next thing that came. @throws tls.* */
  pull(): Incoming | 'need-bytes' {
    for (;;) {
      const message = this.#joiner.next();
      if (message !== null) return { kind: 'message', message };
      const raw = this.#reader.next();
      if (raw === 'need-bytes') return raw;
      if (raw.type === CONTENT.changeCipherSpec && this.#ccsAllowance > 0) {
        this.#ccsAllowance--;
        this.#expectBoundary('ChangeCipherSpec');
        checkCcs(raw.body);
        continue;
      }
      if (raw.body.length > MAX_PLAIN_BYTES + this.#opener.maxExpansionBytes) tooLong();
      const { type, bytes } = this.#opener.open(raw);
      if (bytes.length > MAX_PLAIN_BYTES) tooLong();
      if (type === CONTENT.handshake) {
        if (bytes.length === 0) emptyRecord();
        this.#joiner.feed(bytes);
        continue;
      }
      this.#expectBoundary(contentName(type));
      const incoming = this.#read(type, bytes);
      if (incoming !== null) return incoming;
    }
  }

  #read(type: number, bytes: Uint8Array): Incoming | null {
    if (type === CONTENT.applicationData) {
      if (bytes.length > 0) this.#idleCount = 0;
      else this.countIdle();
      return bytes.length > 0 ? { kind: 'data', bytes } : null;
    }
    if (type === CONTENT.changeCipherSpec) {
      checkCcs(bytes);
      return { kind: 'change-cipher-spec' };
    }
    if (type !== CONTENT.alert) {
      failWith('unexpected_message', 'tls.bad-record', { problem: `a record of type ${type}` });
    }
    if (bytes.length !== 2)
      failWith('decode_error', 'tls.bad-record', { problem: `an alert of ${bytes.length} bytes` });
    return { kind: 'alert', level: bytes[0] as number, alert: bytes[1] as number };
  }

  /** Counts a record that brought no data. @throws tls.bad-record when too many came in a row */
  countIdle(): void {
    if (++this.#idleCount > MAX_IDLE_RECORDS) {
      failWith('unexpected_message', 'tls.bad-record', { problem: 'a flood of records without data' });
    }
  }

  /** TLS 1.3 drops this many more ChangeCipherSpec records. */
  allowCcs(count: number): void {
    this.#ccsAllowance = count;
  }

  /** What comes from now on is under other keys; no message may straddle the change. RFC 8446, section 5.1. */
  changeOpener(opener: Opener): void {
    if (!this.#joiner.isEmpty) {
      failWith('unexpected_message', 'tls.bad-handshake', { problem: 'a message straddles a change of keys' });
    }
    this.#opener.destroy();
    this.#opener = opener;
  }

  /** What goes from now on is under other keys. */
  changeSealer(sealer: Sealer): void {
    this.#sealer.destroy();
    this.#sealer = sealer;
  }

  /** After the first ClientHello unprotected records carry another version number. */
  leaveFirstRecord(): void {
    this.#sealer = plainSealer(RECORD_VERSION);
  }

  /** Sends handshake messages, cut into records where they are long. */
  sendMessage(bytes: Uint8Array): void {
    this.#send(CONTENT.handshake, bytes);
  }

  /** Sends application data; nothing at all is a record too. */
  sendData(bytes: Uint8Array): void {
    this.#send(CONTENT.applicationData, bytes);
  }

  /** Sends ChangeCipherSpec under the current keys. */
  sendCcs(): void {
    this.#send(CONTENT.changeCipherSpec, Uint8Array.of(1));
  }

  /** Sends the ChangeCipherSpec by which TLS 1.3 looks like TLS 1.2 to boxes on the road: never protected. */
  sendCompatibilityCcs(): void {
    this.#output.push(plainSealer(RECORD_VERSION).seal(CONTENT.changeCipherSpec, Uint8Array.of(1)));
  }

  /** Sends an alert. After close_notify or a fatal one whatever is sent is dropped. RFC 8446, section 6.1 */
  sendAlert(name: AlertName, level: 'warning' | 'fatal'): void {
    this.#send(CONTENT.alert, Uint8Array.of(level === 'fatal' ? 2 : 1, ALERTS[name]));
    this.#isOutputEnded ||= name === 'close_notify' || level === 'fatal';
  }

  /** Everything to be sent since the last call, or null. */
  takeOutput(): Uint8Array | null {
    const output = this.#output;
    if (output.length === 0) return null;
    this.#output = [];
    return output.length === 1 ? (output[0] as Uint8Array) : concatBytes(...output);
  }

  /** Forgets the keys. */
  destroy(): void {
    this.#opener.destroy();
    this.#sealer.destroy();
  }

  #send(type: number, bytes: Uint8Array): void {
    if (this.#isOutputEnded) return;
    let at = 0;
    do {
      this.#output.push(this.#sealer.seal(type, bytes.subarray(at, at + MAX_PLAIN_BYTES)));
      at += MAX_PLAIN_BYTES;
    } while (at < bytes.length);
  }

  #expectBoundary(received: string): void {
    if (this.#joiner.isEmpty) return;
    failWith('unexpected_message', 'tls.unexpected-message', { expected: 'the rest of a message', received });
  }
}

function checkCcs(body: Uint8Array): void {
  if (body.length === 1 && body[0] === 1) return;
  failWith('unexpected_message', 'tls.bad-record', { problem: 'a ChangeCipherSpec with other content' });
}

function tooLong(): never {
  failWith('record_overflow', 'tls.bad-record', { problem: 'it is longer than TLS allows' });
}

function emptyRecord(): never {
  failWith('unexpected_message', 'tls.bad-record', { problem: 'a handshake record without content' });
}

function contentName(type: number): string {
  if (type === CONTENT.applicationData) return 'application data';
  if (type === CONTENT.alert) return 'an alert';
  return type === CONTENT.changeCipherSpec ? 'ChangeCipherSpec' : `a record of type ${type}`;
}
