import type { Platform } from '@fairlead/protocol';
import type { ByteStream } from '@fairlead/protocol/road';
import { secure } from '../../../packages/protocol/src/tls/stream.ts';
import { judgePeer, pinOf } from '../../../packages/protocol/src/tls/trust.ts';

/** What one connection came to. */
export interface TlsRun {
  readonly handshakeMs: number;
  /** From asking for the first byte to having the last. */
  readonly ms: number;
  readonly bytes: number;
  readonly version: string;
  readonly suite: string;
}

/** Speaks TLS with the far end of `tls-far-end.ts` and has it send so much. */
export async function download(below: ByteStream, platform: Platform, mib: number): Promise<TlsRun> {
  const { stream, handshakeMs, version, suite } = await secure(below, {
    host: 'peer',
    platform,
    judge: (chain) => {
      const pins = chain.slice(0, 1).map((certificate) => pinOf(certificate, 0));
      return judgePeer({ chain, host: 'peer', nowMs: 0, policy: { roots: [], pins } });
    },
  });
  const { ms, bytes } = await drain(stream, platform, mib);
  return { handshakeMs, ms, bytes, version, suite };
}

/** Has the far end send so much, and takes it. */
export async function drain(
  stream: ByteStream,
  platform: Platform,
  mib: number,
): Promise<Pick<TlsRun, 'ms' | 'bytes'>> {
  const began = platform.monotonicMs();
  let bytes = 0;
  if (mib > 0) await stream.write(Uint8Array.of(mib));
  while (bytes < mib * 2 ** 20) {
    const piece = await stream.read();
    if (piece === null) break;
    bytes += piece.length;
  }
  const ms = platform.monotonicMs() - began;
  stream.destroy();
  return { ms, bytes };
}
