import { fail } from '../errors.ts';

/** ContentType: change_cipher_spec, alert, handshake, application_data. RFC 8446, section 5.1 */
const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

/** HandshakeType. RFC 8446, section 4 */
const CLIENT_HELLO = 1;

const HEADER_BYTES = 1 /* ContentType */ + 2 /* ProtocolVersion */ + 2; /* length */

/** Of TLS 1.2; TLS 1.3 adds less. RFC 5246, section 6.2.3 */
const MAX_RECORD_BYTES = 2 ** 14 + 2048;

/**
 * Holds a road to its word that TLS goes over it: what goes up begins with a ClientHello and is TLS records from first to
 * last. For roads behind a proxy that was given credentials, which may carry nothing else (the seed's rule R5). What is
 * in the records is the far end's to judge.
 *
 * RFC 8446, section 5.1
 * INVARIANT: no byte passes before it has been judged; none is held back.
 */
export class TlsGuard {
  /** Where in a record's header the next byte stands. */
  #at = 0;
  #recordBytes = 0;
  /** Of the record, still to come. */
  #bytesLeft = 0;
  #isFirst = true;
  #isRefused = false;

  /** The bytes themselves. @throws proxy.forward-refused; from then on always */
  feed(bytes: Uint8Array): Uint8Array {
    if (this.#isRefused) this.#refuse();
    for (let i = 0; i < bytes.length; ) {
      if (this.#bytesLeft > 0) {
        if (this.#isFirst && bytes[i] !== CLIENT_HELLO) this.#refuse();
        this.#isFirst = false;
        const passed = Math.min(this.#bytesLeft, bytes.length - i);
        this.#bytesLeft -= passed;
        i += passed;
      } else {
        this.#judgeHeader(bytes[i] as number);
        i += 1;
      }
    }
    return bytes;
  }

  #judgeHeader(byte: number): void {
    const at = this.#at;
    const isType = this.#isFirst ? byte === HANDSHAKE : byte >= CHANGE_CIPHER_SPEC && byte <= APPLICATION_DATA;
    // Records say 3.1 to 3.3, whatever was negotiated.
    if ((at === 0 && !isType) || (at === 1 && byte !== 3) || (at === 2 && (byte < 1 || byte > 3))) this.#refuse();
    if (at === 3) this.#recordBytes = byte * 256;
    this.#at = at + 1;
    if (this.#at < HEADER_BYTES) return;
    this.#bytesLeft = this.#recordBytes + byte;
    if (this.#bytesLeft === 0 || this.#bytesLeft > MAX_RECORD_BYTES) this.#refuse();
    this.#at = 0;
  }

  #refuse(): never {
    this.#isRefused = true;
    return fail('proxy.forward-refused', { problem: 'a road behind a proxy that was signed in to must carry TLS' });
  }
}
