import { isWinRmError } from '../errors.ts';
import type { TlsVersion } from '../tls/engine.ts';

/**
 * The newest TLS a session uses. A server may ask for a client certificate by renegotiation only, which TLS 1.3 has not;
 * there it hangs up, or answers as if it had seen none. As long as no request of the session was ever granted, such a
 * server is met once more with TLS 1.2: what it did not grant it did not do.
 */
export class VersionChoice {
  #max: TlsVersion = '1.3';
  #isSettled: boolean;

  /** @param hasCertificate whether a certificate is there to be asked for; else nothing is ever tried again */
  constructor(hasCertificate: boolean) {
    this.#isSettled = !hasCertificate;
  }

  /** For the next handshake. */
  get max(): TlsVersion {
    return this.#max;
  }

  /** A request was granted: the version is right. */
  settle(): void {
    this.#isSettled = true;
  }

  /** Steps down, once, if an older version may help against this error of a connection of `version`. */
  stepDown(error: unknown, version: TlsVersion | null): boolean {
    const mayHelp = isWinRmError(error, 'auth.rejected') || isHungUp(error);
    if (this.#isSettled || version !== '1.3' || !mayHelp) return false;
    this.#isSettled = true;
    this.#max = '1.2';
    return true;
  }
}

/** A server that had waited long enough says so, or just leaves. */
export function isHungUp(error: unknown): boolean {
  return HUNG_UP.some((code) => isWinRmError(error, code));
}

const HUNG_UP = ['http.closed-early', 'relay.lost', 'tls.alert'] as const;
