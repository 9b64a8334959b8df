import { concatBytes, NO_BYTES, utf8Encode } from '../bytes/bytes.ts';
import { isWinRmError, type WinRmError } from '../errors.ts';
import { type ClientCertificate, openClientCertificate } from '../tls/client-certificate.ts';
import { TlsEngine, type TlsEngineOptions, type TlsEvent } from '../tls/engine.ts';
import { judgePeer, pinOf, type TrustedPeer } from '../tls/trust.ts';
import { parseChain } from '../tls/x509.ts';
import type { ServerDouble, ServerScript } from './tls-double.ts';

/** A TLS engine and a server double brought together in memory. */

/** The name the peers of `vectors/peers.json` are for. */
export const PEER_HOST = 'peer';

/** A certificate and its key as the vectors hold them. */
export function identityOf(pem: { certificate: string; key: string }): ClientCertificate {
  return openClientCertificate([utf8Encode(pem.certificate + pem.key)], null);
}

/** Bytes that look random and are the same for the same seed. Marsaglia's xorshift. */
export function seededRandom(seed: number): (length: number) => Uint8Array {
  let state = seed * 2654435761 + 1;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & 255;
    });
}

/** An engine for the peer of the vectors. */
export function makeEngine(options: Partial<TlsEngineOptions> = {}): TlsEngine {
  return new TlsEngine({ host: PEER_HOST, random: seededRandom(1), ...options });
}

/** What most scripts have in common. */
export function baseScript(identity: ClientCertificate, suite = 'TLS_AES_128_GCM_SHA256'): ServerScript {
  return { suite, identity, random: seededRandom(2) };
}

/** Trusts whoever it is, as a person who pins does. */
export function trustAnyone(chain: readonly Uint8Array[], host = PEER_HOST): TrustedPeer {
  const certificates = parseChain(chain);
  const [first] = certificates;
  if (first === undefined) throw new Error('no certificate');
  return judgePeer({ chain: certificates, host, nowMs: 0, policy: { roots: [], pins: [pinOf(first, 0)] } });
}

/** How a conversation went. */
export interface Outcome {
  readonly events: TlsEvent[];
  readonly error: WinRmError | null;
  /** Bytes the engine sent, in order. */
  readonly sent: readonly Uint8Array[];
  /** Application data the engine gave out. */
  readonly data: Uint8Array;
}

/** How bytes are handed over, and what the engine is told. */
export interface TalkOptions {
  /** Changes what the server sends on its way. */
  readonly mangle?: (bytes: Uint8Array, turn: number) => Uint8Array;
  /** Most bytes fed at once. */
  readonly splitBytes?: number;
  readonly judge?: (engine: TlsEngine, chain: readonly Uint8Array[]) => void;
  readonly onReady?: (engine: TlsEngine) => void;
  /** A server that was made to lie may not understand the answer; then it says no more. */
  readonly isServerConfused?: boolean;
}

/**
 * Lets both talk until neither has anything to say, the engine has failed or is closed. May be called again for what comes
 * after.
 */
export function talk(engine: TlsEngine, server: ServerDouble, options: TalkOptions = {}): Outcome {
  const { mangle, splitBytes = Infinity, judge = (it, chain) => it.accept(trustAnyone(chain)), onReady } = options;
  const outcome = { events: [] as TlsEvent[], error: null, sent: [] as Uint8Array[], data: NO_BYTES as Uint8Array };
  let incoming: Uint8Array = NO_BYTES;
  let turn = 0;
  for (;;) {
    let event: TlsEvent;
    try {
      event = engine.next();
    } catch (error) {
      if (!isWinRmError(error)) throw error;
      return { ...outcome, error };
    }
    if (event.kind !== 'need-bytes') outcome.events.push(event);
    if (event.kind === 'send') {
      outcome.sent.push(event.bytes);
      try {
        server.feed(event.bytes);
      } catch (error) {
        if (options.isServerConfused !== true) throw error;
      }
    } else if (event.kind === 'judge') judge(engine, event.chain);
    else if (event.kind === 'ready') onReady?.(engine);
    else if (event.kind === 'data') outcome.data = concatBytes(outcome.data, event.bytes);
    else if (event.kind === 'closed') return outcome;
    else {
      if (incoming.length === 0) {
        const said = server.takeOutput();
        incoming = said.length > 0 && mangle !== undefined ? mangle(said, turn++) : said;
      }
      if (incoming.length === 0) return outcome;
      engine.feed(incoming.subarray(0, splitBytes));
      incoming = incoming.subarray(Math.min(splitBytes, incoming.length));
    }
  }
}
