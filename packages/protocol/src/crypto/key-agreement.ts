import { x25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';

/** The groups we agree on keys in. */
export type GroupName = 'x25519' | 'P-256' | 'P-384';

/** One ephemeral key of ours. */
export interface KeyShare {
  readonly group: GroupName;
  /** X25519: 32 bytes, RFC 7748. P-256 and P-384: an uncompressed point, SEC 1 section 2.3.3. */
  readonly publicKey: Uint8Array;
  /** The shared secret, or null when the peer's key is no valid one of this group. */
  agree(peerPublicKey: Uint8Array): Uint8Array | null;
  /** Zeroes the private key; it agrees on nothing afterwards. */
  destroy(): void;
}

interface Group {
  readonly seedBytes: number;
  readonly publicBytes: number;
  readonly keygen: (seed: Uint8Array) => { secretKey: Uint8Array; publicKey: Uint8Array };
  readonly shared: (secretKey: Uint8Array, peerPublicKey: Uint8Array) => Uint8Array;
}

/** What NIST curves take more than their size of random bytes so that no key is likelier. FIPS 186-5, A.2.1. */
const GROUPS: Readonly<Record<GroupName, Group>> = {
  x25519: {
    seedBytes: 32,
    publicBytes: 32,
    keygen: (seed) => x25519.keygen(seed),
    shared: (secret, peer) => x25519.getSharedSecret(secret, peer),
  },
  'P-256': nist(p256, 32),
  'P-384': nist(p384, 48),
};

/** Makes an ephemeral key from random bytes. */
export function makeKeyShare(group: GroupName, random: (length: number) => Uint8Array): KeyShare {
  const { seedBytes, publicBytes, keygen, shared } = GROUPS[group];
  const { secretKey, publicKey } = keygen(random(seedBytes));
  return {
    group,
    publicKey,
    agree(peerPublicKey) {
      if (peerPublicKey.length !== publicBytes) return null;
      try {
        // noble refuses points off the curve, infinity, and for X25519 a shared secret of zero (RFC 7748, section 6.1)
        return shared(secretKey, peerPublicKey);
      } catch {
        return null;
      }
    },
    destroy: () => void secretKey.fill(0),
  };
}

function nist(curve: typeof p256, fieldBytes: number): Group {
  return {
    seedBytes: fieldBytes + fieldBytes / 2,
    publicBytes: 1 /* 4, uncompressed */ + 2 * fieldBytes,
    keygen: (seed) => {
      const secretKey = curve.utils.randomSecretKey(seed);
      return { secretKey, publicKey: curve.getPublicKey(secretKey, false) };
    },
    shared: (secret, peer) => {
      // RFC 8422, section 5.11: the shared secret is the x-coordinate alone
      return curve.getSharedSecret(secret, peer, false).slice(1, 1 + fieldBytes);
    },
  };
}
