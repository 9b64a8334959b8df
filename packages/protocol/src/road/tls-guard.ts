import { fail } from '../errors.ts';

/** ContentType handshake, the first byte of a ClientHello's record. RFC 8446, section 5.1 */
const HANDSHAKE = 22;

/**
 * Holds a road to its word that TLS goes over it: its first byte must be that of a handshake. For roads behind a proxy
 * that was given credentials, which may carry nothing else (the seed's rule R5); whatever follows is the far end's to
 * judge.
 */
export class TlsGuard {
  #hasBegun = false;

  /** The bytes themselves. @throws proxy.forward-refused */
  feed(bytes: Uint8Array): Uint8Array {
    if (!this.#hasBegun && bytes.length > 0) {
      if (bytes[0] !== HANDSHAKE) {
        fail('proxy.forward-refused', { problem: 'a road behind a proxy that was signed in to must carry TLS' });
      }
      this.#hasBegun = true;
    }
    return bytes;
  }
}
