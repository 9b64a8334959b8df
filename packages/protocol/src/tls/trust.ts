import { type CertificateEvidence, type ErrorDetails, fail } from '../errors.ts';
import { findPath, isInDate, keyProblem, leafProblem, signatureProblem } from './_chain.ts';
import { isNamed, printAddress } from './_host.ts';
import { type Certificate, isSelfIssued, sha1Thumbprint, sha256Thumbprint } from './x509.ts';

/** A certificate that a person trusts for one target. */
export interface Pin {
  /** SHA-256 of the whole certificate, upper-case hexadecimal. */
  readonly sha256: string;
  /** Text of its issuer when it was pinned. */
  readonly issuer: string;
  /** When it was pinned, milliseconds since 1970. */
  readonly sinceMs: number;
}

/** What the person at hand trusts. */
export interface TrustPolicy {
  /** Certificates imported as roots, for all targets. */
  readonly roots: readonly Certificate[];
  /** The pins of this target. When there is one, only pins count: see docs/decisions/0017-trust-pins.md. */
  readonly pins: readonly Pin[];
}

/** What would have been an objection without the pin; to be shown, not obeyed. */
export type PeerWarning = 'expired' | 'not-yet-valid' | 'wrong-name' | 'weak-signature' | 'wrong-purpose';

const MINT: unique symbol = Symbol('minted by judgePeer');

/**
 * A peer whose certificate was judged and found good. INVARIANT: only `judgePeer` makes one, so that whoever holds one
 * knows the judgement took place.
 */
export class TrustedPeer {
  /** The certificate whose key the peer must prove to hold. */
  readonly certificate: Certificate;
  /** The name it was judged for. */
  readonly host: string;
  /** What vouches for it. */
  readonly by: 'pin' | 'root';
  /** Leaf first; with a pin only the leaf, otherwise up to the root. */
  readonly path: readonly Certificate[];
  readonly warnings: readonly PeerWarning[];

  constructor(mint: typeof MINT, facts: Pick<TrustedPeer, 'certificate' | 'host' | 'by' | 'path' | 'warnings'>) {
    if (mint !== MINT) fail('misuse.wrong-state', { action: 'make a TrustedPeer', state: 'not judged' });
    this.certificate = facts.certificate;
    this.host = facts.host;
    this.by = facts.by;
    this.path = facts.path;
    this.warnings = facts.warnings;
  }
}

/**
 * Judges the certificates a server presented. A pin of this target stands above chain, name and dates, and below the
 * strength of the key; with pins but none that fits, nothing else is asked.
 *
 * RFC 5280, section 6; RFC 9525
 * @param options.chain as presented, the server's own first; the rest in any order
 * @param options.host the name or address that was asked for
 * @param options.nowMs milliseconds since 1970
 * @throws tls.pin-changed, tls.intercepted when there are pins and none fits
 * @throws tls.weak-certificate, tls.untrusted, tls.wrong-name, tls.expired in this order
 * @throws tls.bad-certificate when the chain is empty
 */
export function judgePeer(options: {
  readonly chain: readonly Certificate[];
  readonly host: string;
  readonly nowMs: number;
  readonly policy: TrustPolicy;
}): TrustedPeer {
  const { chain, host, nowMs, policy } = options;
  const [certificate, ...others] = chain;
  if (certificate === undefined) return fail('tls.bad-certificate', { problem: 'the host sent none' });
  const isPinned = policy.pins.some((pin) => pin.sha256.toUpperCase() === sha256Thumbprint(certificate));
  if (policy.pins.length > 0 && !isPinned) return refuseChange(certificate, host, policy.pins);
  const weakness = keyProblem(certificate);
  if (weakness !== null) {
    fail('tls.weak-certificate', { ...certificateEvidence(certificate, host), problem: weakness });
  }
  if (isPinned) {
    const warnings = warningsOf(certificate, host, nowMs);
    return new TrustedPeer(MINT, { certificate, host, by: 'pin', path: [certificate], warnings });
  }
  const found = findPath([certificate, ...others], policy.roots, nowMs);
  const isPath = 'length' in found;
  if (!isPath && found.code === 'tls.untrusted') {
    fail('tls.untrusted', { ...certificateEvidence(certificate, host), problem: found.problem });
  }
  if (!isNamed(certificate, host)) fail('tls.wrong-name', certificateEvidence(certificate, host));
  if (!isPath) {
    fail(found.code, { ...certificateEvidence(found.certificate, host), problem: found.problem });
  }
  return new TrustedPeer(MINT, { certificate, host, by: 'root', path: found, warnings: [] });
}

/** What a person needs to see of a certificate to judge it; safe to show as it is. */
export function certificateEvidence(certificate: Certificate, host: string): CertificateEvidence {
  return {
    host,
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    names: namesOf(certificate),
    notBefore: new Date(certificate.notBeforeMs).toISOString(),
    notAfter: new Date(certificate.notAfterMs).toISOString(),
    sha256: sha256Thumbprint(certificate),
    sha1: sha1Thumbprint(certificate),
  };
}

/** The pin that trusts this certificate from now on. */
export function pinOf(certificate: Certificate, nowMs: number): Pin {
  return { sha256: sha256Thumbprint(certificate), issuer: certificate.issuer.text, sinceMs: nowMs };
}

/**
 * An issuer that is neither the pinned one nor the certificate itself is an inspecting proxy's, or an attacker's. A pin
 * that was typed as a thumbprint does not know its issuer and says nothing about another.
 */
function refuseChange(certificate: Certificate, host: string, pins: readonly Pin[]): never {
  const details: ErrorDetails['tls.pin-changed'] = {
    ...certificateEvidence(certificate, host),
    expected: pins.map((pin) => pin.sha256.toUpperCase()).join(', '),
    pinnedIssuer: [...new Set(pins.map((pin) => pin.issuer).filter((issuer) => issuer !== ''))].join(', '),
  };
  const isOtherIssuer = pins.every((pin) => pin.issuer !== '' && pin.issuer !== certificate.issuer.text);
  return fail(isOtherIssuer && !isSelfIssued(certificate) ? 'tls.intercepted' : 'tls.pin-changed', details);
}

function warningsOf(certificate: Certificate, host: string, nowMs: number): PeerWarning[] {
  const warnings: PeerWarning[] = [];
  if (!isInDate(certificate, nowMs)) warnings.push(nowMs < certificate.notBeforeMs ? 'not-yet-valid' : 'expired');
  if (!isNamed(certificate, host)) warnings.push('wrong-name');
  if (signatureProblem(certificate) !== null) warnings.push('weak-signature');
  if (leafProblem(certificate) !== null) warnings.push('wrong-purpose');
  return warnings;
}

/** The names that count; when there are none, the common name, marked as such. */
function namesOf({ dnsNames, ipAddresses, subject }: Certificate): string {
  const names = [...dnsNames, ...ipAddresses.map(printAddress)];
  if (names.length === 0) {
    const commonName = subject.rdns.flat().find(({ type }) => type === COMMON_NAME);
    return commonName === undefined ? '-' : `CN=${commonName.value}`;
  }
  const shown = names.slice(0, MAX_SHOWN_NAMES).join(', ');
  return names.length > MAX_SHOWN_NAMES ? `${shown}, … (${names.length})` : shown;
}

const COMMON_NAME = '2.5.4.3';
const MAX_SHOWN_NAMES = 20;
