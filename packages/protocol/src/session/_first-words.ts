import { concatBytes } from '../bytes/bytes.ts';
import { isWinRmError, WinRmError } from '../errors.ts';
import { beginsLikePage, MAX_EVIDENCE_CHARACTERS, readableText } from '../http/evidence.ts';
import type { HopReport } from '../opened-road.ts';
import { printAuthority } from '../road/authority.ts';

/** The first bytes that came over a road, as far as a page would tell who speaks. */
export class FirstWords {
  #pieces: Uint8Array[] = [];
  #length = 0;

  /** Keeps what there is still room for. */
  hear(bytes: Uint8Array): void {
    const left = MAX_HEARD_BYTES - this.#length;
    if (left <= 0) return;
    this.#pieces.push(bytes.slice(0, left));
    this.#length += Math.min(left, bytes.length);
  }

  /** All of it. */
  get bytes(): Uint8Array {
    return concatBytes(...this.#pieces);
  }
}

/** How words that are neither TLS nor HTTP are met, or the end that follows them. */
const FOREIGN = ['http.not-http', 'tls.not-tls', 'http.closed-early'] as const;

/** A page of evidence, with the markup that is dropped from it. */
const MAX_HEARD_BYTES = 2 * MAX_EVIDENCE_CHARACTERS;

/**
 * Markup where the host should have begun to speak TLS or HTTP: the last proxy said that the tunnel is open, and then
 * spoke itself. No host of WinRM begins with markup.
 */
export function withFalseTunnel(error: unknown, hops: readonly HopReport[], words: FirstWords): unknown {
  const isForeign = FOREIGN.some((code) => isWinRmError(error, code));
  const proxy = hops.findLast(({ party }) => party === 'proxy');
  const target = hops.findLast(({ party }) => party === 'server');
  if (!isForeign || proxy === undefined || !beginsLikePage(words.bytes)) return error;
  const { hop, host, port } = proxy;
  return new WinRmError(
    'proxy.false-tunnel',
    {
      ...{ hop, host, port, status: 200, via: '', proxyStatus: '', text: readableText(words.bytes) },
      target: target === undefined ? '' : printAuthority(target),
    },
    error,
  );
}
