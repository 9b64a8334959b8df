import { fail, isWinRmError, WinRmError } from '../errors.ts';
import type { Journal, LaneName } from '../journal.ts';
import type { OpenedRoad } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import type { ClientCertificate } from '../tls/client-certificate.ts';
import type { TlsVersion } from '../tls/engine.ts';
import { secure } from '../tls/stream.ts';
import { certificateEvidence, type TrustedPeer } from '../tls/trust.ts';
import type { TrustDecision } from './_trust-decision.ts';
import { isHungUp, type VersionChoice } from './_version-choice.ts';

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
  /** Lets suites with SHA-1 in, for servers as old as Windows Server 2012 R2. */
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
 * What a refused sign-in can mean. It is bound to the certificate seen from here. Where a proxy stands on the road and
 * the certificate was not the pinned one, that may be the proxy's own; then a host which checks the binding refuses the
 * right password exactly as it refuses a wrong one, and nobody here can tell them apart. Nor can they where somebody
 * reads the requests inside TLS and may have put the legs on two connections of the host's: the seed's rules R8, R23.
 *
 * @param isRead whether a reply inside TLS had a Via, which no host adds itself
 */
export function withBindingDoubt(error: unknown, road: SecuredRoad, decision: TrustDecision, isRead: boolean): unknown {
  const isDoubtful = isRead || (road.hasProxy && decision.ground !== 'pin');
  if (!isDoubtful || road.peer === null || !isWinRmError(error, 'auth.rejected')) return error;
  const { mechanism, stage, user } = error.details;
  if (stage === 'request') return error; // sent with each request, and bound to nothing
  const { issuer, sha256 } = certificateEvidence(road.peer.certificate, road.peer.host);
  return new WinRmError('auth.binding-refused', { mechanism, stage, user, issuer, sha256 }, error);
}
