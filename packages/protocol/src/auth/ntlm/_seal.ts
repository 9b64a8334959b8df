import { equalBytesConstantTime } from '../../bytes/bytes.ts';
import { HmacMd5Key } from '../../crypto/hash.ts';
import { Rc4 } from '../../crypto/legacy.ts';
import { fail } from '../../errors.ts';
import type { SecurityContext } from '../../security.ts';
import type { SealDirection } from './_keys.ts';
import { sealKey, signKey } from './_keys.ts';
import { NTLM_FLAG } from './_messages.ts';

/** NTLM session security with extended session security. [MS-NLMP] 3.4.3 and 3.4.4.2 */

/** [MS-NLMP] 2.2.2.9.2 NTLMSSP_MESSAGE_SIGNATURE */
const NTLM_SIGNATURE_BYTES = 4 /* Version */ + 8 /* Checksum */ + 4; /* SeqNum */

/**
 * Keys of one authenticated connection. Both ends use it: the client's outgoing keys are the server's incoming.
 *
 * @param exportedSessionKey 16 bytes
 * @param flags of the AUTHENTICATE message
 * @throws misuse.bad-argument for a key of another length
 */
export function createNtlmSealing(
  exportedSessionKey: Uint8Array,
  flags: number,
  role: 'client' | 'server',
): NtlmSealing {
  if (exportedSessionKey.length !== 16)
    fail('misuse.bad-argument', { argument: 'exportedSessionKey', reason: 'malformed' });
  const toServer = new OneWay(exportedSessionKey, flags, 'client-to-server');
  const toClient = new OneWay(exportedSessionKey, flags, 'server-to-client');
  return role === 'client' ? new NtlmSealing(toServer, toClient) : new NtlmSealing(toClient, toServer);
}

/**
 * Seals and signs.
 *
 * INVARIANT: each direction has one RC4 stream and one counter, so calls happen in wire order; a signature that does
 * not verify leaves the context dead, because nothing after it could be trusted.
 */
export class NtlmSealing implements SecurityContext {
  readonly sealProtocol = 'SPNEGO';
  readonly maxSealBytes = Number.POSITIVE_INFINITY;
  readonly #outgoing: OneWay;
  readonly #incoming: OneWay;
  #isDead = false;

  constructor(outgoing: OneWay, incoming: OneWay) {
    this.#outgoing = outgoing;
    this.#incoming = incoming;
  }

  /** Seals first, then signs: the checksum comes from the same RC4 stream, behind the message. @throws misuse.wrong-state */
  wrap(plain: Uint8Array): { header: Uint8Array; body: Uint8Array; paddingBytes: number } {
    this.#requireAlive('wrap');
    const body = this.#outgoing.crypt(plain);
    return { header: this.#outgoing.nextSignature(plain), body, paddingBytes: 0 };
  }

  /** @throws seal.bad-signature, after which the context is dead; misuse.wrong-state */
  unwrap(header: Uint8Array, body: Uint8Array): Uint8Array {
    this.#requireAlive('unwrap');
    const plain = this.#incoming.crypt(body);
    const sequence = this.#incoming.sequence;
    if (!equalBytesConstantTime(this.#incoming.nextSignature(plain), header)) {
      this.destroy();
      fail('seal.bad-signature', { sequence });
    }
    return plain;
  }

  /** GSS_GetMIC: 16 bytes over a text that is sent in the clear, and so does not move the RC4 stream. @throws misuse.wrong-state */
  sign(message: Uint8Array): Uint8Array {
    this.#requireAlive('sign');
    return this.#outgoing.nextSignature(message);
  }

  /** GSS_VerifyMIC. A signature that does not verify leaves the context dead. @throws misuse.wrong-state */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    this.#requireAlive('verify');
    const isGenuine = equalBytesConstantTime(this.#incoming.nextSignature(message), signature);
    if (!isGenuine) this.destroy();
    return isGenuine;
  }

  /**
   * Starts the outgoing RC4 stream anew while its counter goes on, as SPNEGO asks after mechListMIC.
   * [MS-SPNG] 3.3.5.1
   */
  restartOutgoing(): void {
    this.#requireAlive('restartOutgoing');
    this.#outgoing.restart();
  }

  /** The same for the incoming stream; each direction restarts on its own. */
  restartIncoming(): void {
    this.#requireAlive('restartIncoming');
    this.#incoming.restart();
  }

  /** Zeroes keys and streams; the context seals and opens nothing afterwards. */
  destroy(): void {
    this.#isDead = true;
    this.#outgoing.destroy();
    this.#incoming.destroy();
  }

  #requireAlive(action: string): void {
    if (this.#isDead) fail('misuse.wrong-state', { action, state: 'destroyed' });
  }
}

/** One direction: a signing key, a sealing stream and a counter. */
class OneWay {
  readonly #signing: HmacMd5Key;
  readonly #sealKey: Uint8Array;
  readonly #hasKeyExchange: boolean;
  #stream: Rc4;
  #sequence = 0;

  constructor(exportedSessionKey: Uint8Array, flags: number, direction: SealDirection) {
    this.#signing = new HmacMd5Key(signKey(exportedSessionKey, direction));
    this.#sealKey = sealKey(exportedSessionKey, flags, direction);
    this.#hasKeyExchange = (flags & NTLM_FLAG.keyExchange) !== 0;
    this.#stream = new Rc4(this.#sealKey);
  }

  get sequence(): number {
    return this.#sequence;
  }

  crypt(bytes: Uint8Array): Uint8Array {
    return this.#stream.apply(bytes);
  }

  /** [MS-NLMP] 3.4.4.2: the checksum is encrypted only when keys were exchanged. */
  nextSignature(plain: Uint8Array): Uint8Array {
    const signature = new Uint8Array(NTLM_SIGNATURE_BYTES);
    signature[0] = 1; // Version
    const sequence = signature.subarray(12);
    new DataView(signature.buffer).setUint32(12, this.#sequence, true);
    const checksum = this.#signing.sign(sequence, plain).subarray(0, 8);
    signature.set(this.#hasKeyExchange ? this.#stream.apply(checksum) : checksum, 4);
    this.#sequence = (this.#sequence + 1) >>> 0;
    return signature;
  }

  restart(): void {
    this.#stream = new Rc4(this.#sealKey);
  }

  destroy(): void {
    this.#signing.destroy();
    this.#sealKey.fill(0);
    this.#stream.destroy();
  }
}
