import { fail, isWinRmError, WinRmError } from '../errors.ts';
import type { Journal, LaneName } from '../journal.ts';
import type { OpenedRoad } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import type { ClientCertificate } from '../tls/client-certificate.ts';
import type { TlsVersion } from '../tls/engine.ts';
import { secure } from '../tls/stream.ts';
import { certificateEvidence, type TrustedPeer } from '../tls/trust.ts';
import type { TrustDecision } from './_trust-decision.ts';

/** A road, and whoever TLS over it ends at; null where it carries no TLS. */
export interface SecuredRoad extends OpenedRoad {
  readonly peer: TrustedPeer | null;
  readonly version: TlsVersion | null;
}

/** How roads to an https target are secured. */
export interface SecureRoadOptions {
  readonly host: string;
  /** One for all connections of a session. */
  readonly decision: TrustDecision;
  /** Shown when the server asks; null shows none. */
  readonly clientCertificate: ClientCertificate | null;
  readonly versions: VersionChoice;
  /** Lets SHA-1 and CBC suites in, for servers as old as Windows Server 2012 R2. */
  readonly allowLegacy: boolean;
  readonly platform: Platform;
  readonly journal: Journal | null;
}

/**
 * Opens a road and speaks TLS over it. While a person thinks about a certificate a server may hang up; nothing but the
 * handshake has left then, so the road is opened once more and the answer kept.
 *
 * @throws misuse.bad-argument forward-needs-http for a road whose last proxy reads the requests; tls.*; what `openRoad`
 *   throws. The stream of a road that was opened is destroyed then.
 */
export async function openSecuredRoad(
  lane: LaneName,
  openRoad: () => Promise<OpenedRoad>,
  options: SecureRoadOptions,
  signal: AbortSignal,
): Promise<SecuredRoad> {
  try {
    return await secureRoad(lane, await openRoad(), options, signal);
  } catch (error) {
    if (!options.decision.wasAsked || signal.aborted || !isHungUp(error)) throw error;
    return await secureRoad(lane, await openRoad(), options, signal);
  }
}

async function secureRoad(
  lane: LaneName,
  road: OpenedRoad,
  options: SecureRoadOptions,
  signal: AbortSignal,
): Promise<SecuredRoad> {
  const { host, decision, clientCertificate, versions, allowLegacy, platform, journal } = options;
  if (road.form === 'absolute') {
    road.stream.destroy();
    fail('misuse.bad-argument', { argument: 'route', reason: 'forward-needs-http' });
  }
  const secured = await secure(road.stream, {
    host,
    clientCertificate,
    allowLegacy,
    maxVersion: versions.max,
    platform,
    signal,
    judge: (chain) => decision.judge(chain),
  });
  const { peer, version, suite, group, handshakeMs: ms, stream } = secured;
  const { sha256 } = certificateEvidence(peer.certificate, host);
  journal?.record({ event: 'tls', lane, version, suite, group, sha256, trustedBy: decision.ground ?? peer.by, ms });
  return { ...road, stream, peer, version };
}

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
function isHungUp(error: unknown): boolean {
  return HUNG_UP.some((code) => isWinRmError(error, code));
}

const HUNG_UP = ['http.closed-early', 'relay.lost', 'tls.alert'] as const;

/**
 * What a refused sign-in can mean. It is bound to the certificate seen from here. Where a proxy stands on the road and
 * the certificate was not the pinned one, that may be the proxy's own; then a host which checks the binding refuses the
 * right password exactly as it refuses a wrong one, and nobody here can tell them apart.
 */
export function withBindingDoubt(error: unknown, road: SecuredRoad, decision: TrustDecision): unknown {
  const isDoubtful = road.peer !== null && road.hasProxy && decision.ground !== 'pin';
  if (!isDoubtful || road.peer === null || !isWinRmError(error, 'auth.rejected')) return error;
  const { mechanism, stage, user } = error.details;
  if (stage === 'request') return error; // sent with each request, and bound to nothing
  const { issuer, sha256 } = certificateEvidence(road.peer.certificate, road.peer.host);
  return new WinRmError('auth.binding-refused', { mechanism, stage, user, issuer, sha256 }, error);
}
