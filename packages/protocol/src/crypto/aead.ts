import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { AesGcm } from './aes.ts';

/** Authenticated encryption under one key. */
export interface Aead {
  /** The ciphertext with its tag of 16 bytes behind. A nonce of 12 bytes serves once. */
  seal(nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Uint8Array;
  /** The plaintext, or null when the tag is wrong. `sealed` is used up: its memory may become the plaintext's. */
  open(nonce: Uint8Array, additional: Uint8Array, sealed: Uint8Array): Uint8Array | null;
  /** Zeroes the key. */
  destroy(): void;
}

/** The ciphers there are. */
export type AeadName = 'aes-gcm' | 'chacha20-poly1305';

/** Bytes every tag adds. */
export const AEAD_TAG_BYTES = 16;

/** A cipher under a key: 16 or 32 bytes for AES-GCM, 32 for ChaCha20-Poly1305. */
export function makeAead(name: AeadName, key: Uint8Array): Aead {
  return name === 'aes-gcm' ? new AesGcm(key) : new ChaCha(key);
}

/** RFC 8439, section 2.8; noble's. */
class ChaCha implements Aead {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key.slice();
  }

  seal(nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array): Uint8Array {
    return chacha20poly1305(this.#key, nonce, additional).encrypt(plain);
  }

  open(nonce: Uint8Array, additional: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    try {
      return chacha20poly1305(this.#key, nonce, additional).decrypt(sealed);
    } catch {
      return null;
    }
  }

  destroy(): void {
    this.#key.fill(0);
  }
}
