import { printableStart } from '../bytes/bytes.ts';
import { ByteWriter } from '../bytes/cursor.ts';
import { ReceiveBuffer } from '../bytes/receive-buffer.ts';
import { fail } from '../errors.ts';
import { failWith } from './_alerts.ts';

/** The layer below the handshake: records in, messages out. RFC 8446, section 5; RFC 5246, section 6. */

/** Content types. RFC 8446, section 5.1. */
export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** Bytes of a record's head: type, version, length. */
export const RECORD_HEAD_BYTES = 1 + 2 + 2;
/** Most plaintext a record carries. RFC 8446, section 5.1. */
export const MAX_PLAIN_BYTES = 2 ** 14;
/** What protection may add in TLS 1.2. RFC 5246, section 6.2.3. TLS 1.3 allows 256. */
export const MAX_EXPANSION_BYTES = 2048;
/** The longest handshake message taken: a certificate chain or a list of issuers, with room to spare. */
export const MAX_HANDSHAKE_BYTES = 64 * 1024;

/** A record as it came. */
export interface RawRecord {
  readonly type: number;
  /** The head, which TLS 1.3 authenticates. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

/** What a record held. */
export interface PlainRecord {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Takes the protection off the records of one direction under one key. Throws tls.bad-record. */
export interface Opener {
  open(record: RawRecord): PlainRecord;
  /** What protection may add to a record's plaintext. */
  readonly maxExpansionBytes: number;
  destroy(): void;
}

/** Puts protection on the records of one direction under one key. */
export interface Sealer {
  /** One whole record. */
  seal(type: number, plain: Uint8Array): Uint8Array;
  /** Records sealed so far. */
  readonly count: number;
  destroy(): void;
}

/** Cuts a stream of bytes into records. Fed, then asked. */
export class RecordReader {
  readonly #buffer = new ReceiveBuffer();
  #isFirst = true;
  #failure: unknown = null;

  /** Stores bytes; after an error they are dropped. */
  feed(bytes: Uint8Array): void {
    if (this.#failure === null) this.#buffer.append(bytes);
  }

  /** How many bytes wait. */
  get waitingBytes(): number {
    return this.#buffer.length;
  }

  /**
   * The next record, still protected.
   * @throws tls.not-tls, tls.bad-record; from then on always the same
   */
  next(): RawRecord | 'need-bytes' {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#next();
    } catch (error) {
      this.#failure = error;
      this.#buffer.takeAll();
      throw error;
    }
  }

  /** The bytes no record has used. */
  takeLeftover(): Uint8Array {
    return this.#buffer.takeAll();
  }

  #next(): RawRecord | 'need-bytes' {
    this.#checkHead();
    if (this.#buffer.length < RECORD_HEAD_BYTES) return 'need-bytes';
    const length = this.#buffer.byteAt(3) * 256 + this.#buffer.byteAt(4);
    if (length > MAX_PLAIN_BYTES + MAX_EXPANSION_BYTES) {
      failWith('record_overflow', 'tls.bad-record', { problem: `a record of ${length} bytes` });
    }
    if (this.#buffer.length < RECORD_HEAD_BYTES + length) return 'need-bytes';
    const whole = this.#buffer.take(RECORD_HEAD_BYTES + length) as Uint8Array;
    this.#isFirst = false;
    return { type: whole[0] as number, head: whole.subarray(0, 5), body: whole.subarray(5) };
  }

  /** A wrong byte is refused as soon as it is in, so that a web server's reply is not waited for as a record. */
  #checkHead(): void {
    const type = this.#buffer.byteAt(0);
    const major = this.#buffer.byteAt(1);
    const minor = this.#buffer.byteAt(2);
    const isTypeKnown = type === -1 || (type >= CONTENT.changeCipherSpec && type <= CONTENT.applicationData);
    // The first record of any server is a handshake message or an alert.
    const isTypeDue = !this.#isFirst || type === -1 || type === CONTENT.handshake || type === CONTENT.alert;
    if (isTypeKnown && isTypeDue && (major === -1 || major === 3) && minor <= 4) return;
    if (this.#isFirst) {
      fail('tls.not-tls', { startsWith: printableStart(this.#buffer.peek(32)) });
    }
    if (!isTypeKnown) failWith('unexpected_message', 'tls.bad-record', { problem: `a record of type ${type}` });
    failWith('protocol_version', 'tls.bad-record', { problem: `a record of version ${major}.${minor}` });
  }
}

/** A record without protection. */
export const plainSealer = (legacyVersion: number): Sealer => ({
  seal: (type, plain) =>
    new ByteWriter(RECORD_HEAD_BYTES + plain.length)
      .u8(type)
      .u16be(legacyVersion)
      .u16be(plain.length)
      .bytes(plain)
      .finish(),
  count: 0,
  destroy: () => undefined,
});

/** Reads records without protection. */
export const plainOpener: Opener = {
  maxExpansionBytes: 0,
  open: ({ type, body }) => ({ type, bytes: body }),
  destroy: () => undefined,
};

/** A handshake message: its number, its body, and all of it as the transcript takes it. */
export interface HandshakeMessage {
  readonly type: number;
  readonly body: Uint8Array;
  readonly raw: Uint8Array;
}

/** Joins handshake messages that were cut over records, and cuts records that hold several. */
export class HandshakeJoiner {
  readonly #buffer = new ReceiveBuffer();

  /** Adds the content of one handshake record. */
  feed(bytes: Uint8Array): void {
    this.#buffer.append(bytes);
  }

  /** Whether no byte of a message waits: keys may change only then. RFC 8446, section 5.1. */
  get isEmpty(): boolean {
    return this.#buffer.length === 0;
  }

  /** The next whole message, or null. @throws tls.bad-handshake when it is longer than any we take */
  next(): HandshakeMessage | null {
    if (this.#buffer.length < 4) return null;
    const length = this.#buffer.byteAt(1) * 65_536 + this.#buffer.byteAt(2) * 256 + this.#buffer.byteAt(3);
    if (length > MAX_HANDSHAKE_BYTES) {
      failWith('decode_error', 'tls.bad-handshake', { problem: `a message of ${length} bytes` });
    }
    const raw = this.#buffer.take(4 + length);
    if (raw === null) return null;
    return { type: raw[0] as number, body: raw.subarray(4), raw };
  }
}
