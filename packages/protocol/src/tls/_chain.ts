import { equalBytes } from '../bytes/bytes.ts';
import { isAllowedBy } from './_constraints.ts';
import { type Certificate, isSelfIssued, isSignedBy } from './x509.ts';

/** Why a path is not believed. */
export interface PathProblem {
  readonly code: 'tls.untrusted' | 'tls.weak-certificate' | 'tls.expired';
  /** The certificate that is to blame. */
  readonly certificate: Certificate;
  readonly problem: string;
}

/** The longest path, leaf and root included. Company chains have three or four. */
export const MAX_PATH_LENGTH = 8;

/** The most signatures one judgement checks, however the candidates are arranged. */
export const MAX_SIGNATURE_CHECKS = 64;

/**
 * Looks for a path from the first certificate to a root. The others may come in any order, twice, or not belong; a root
 * is trusted because it is among `roots`, never because it was presented or signs itself.
 *
 * RFC 5280, section 6.1; RFC 4158
 * @param nowMs milliseconds since 1970
 * @returns the path, leaf first and root last, or what is wrong with the best there is
 */
export function findPath(
  chain: readonly [Certificate, ...Certificate[]],
  roots: readonly Certificate[],
  nowMs: number,
): readonly Certificate[] | PathProblem {
  const search = new PathSearch(chain.slice(1), roots, nowMs);
  return search.from([chain[0]]) ?? search.problem ?? noPath(chain[0]);
}

/** Depth first, bounded by path length and by a count of signature checks over the whole search. */
class PathSearch {
  readonly #intermediates: readonly Certificate[];
  readonly #roots: readonly Certificate[];
  readonly #nowMs: number;
  #checksLeft = MAX_SIGNATURE_CHECKS;
  #problem: PathProblem | null = null;
  /** Whether the problem is one of a path that reaches a root. */
  #isComplete = false;

  constructor(intermediates: readonly Certificate[], roots: readonly Certificate[], nowMs: number) {
    this.#intermediates = intermediates;
    this.#roots = roots;
    this.#nowMs = nowMs;
  }

  /** The first objection met; those to a complete path come before a missing one. */
  get problem(): PathProblem | null {
    return this.#problem;
  }

  from(path: readonly Certificate[]): readonly Certificate[] | null {
    const last = path.at(-1) as Certificate;
    if (this.#roots.some((root) => equalBytes(root.der, last.der))) return this.#judge(path);
    if (path.length >= MAX_PATH_LENGTH) return null;
    for (const candidate of [...this.#roots, ...this.#intermediates]) {
      if (!isPossibleIssuer(candidate, last) || path.some((one) => isSameIdentity(one, candidate))) continue;
      if (this.#checksLeft-- <= 0) return null;
      if (!isSignedBy(last, candidate)) {
        this.#note(unsignedProblem(last, candidate));
        continue;
      }
      const found = this.from([...path, candidate]);
      if (found !== null) return found;
    }
    return null;
  }

  #judge(path: readonly Certificate[]): readonly Certificate[] | null {
    const problem = problemOf(path, this.#nowMs);
    if (problem === null) return path;
    if (this.#isComplete) return null;
    this.#problem = problem;
    this.#isComplete = true;
    return null;
  }

  #note(problem: PathProblem): void {
    this.#problem ??= problem;
  }
}

/** Names fit, and key identifiers where both give one: those tell apart keys of one name. */
function isPossibleIssuer(candidate: Certificate, subject: Certificate): boolean {
  if (!equalBytes(candidate.subject.der, subject.issuer.der)) return false;
  const [wanted, given] = [subject.authorityKeyId, candidate.subjectKeyId];
  return wanted === null || given === null || wanted === given;
}

/** The same name and key: cross-certificates of one CA would otherwise lead in circles. */
function isSameIdentity(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.subject.der, b.subject.der) && equalBytes(a.spki, b.spki);
}

/** The first objection to a complete path. */
function problemOf(path: readonly Certificate[], nowMs: number): PathProblem | null {
  for (const [at, certificate] of path.entries()) {
    const problem =
      unknownProblem(certificate) ?? (at === 0 ? leafProblem(certificate) : issuerProblem(path, at)) ?? null;
    if (problem !== null) return { code: 'tls.untrusted', certificate, problem };
  }
  for (const [at, certificate] of path.entries()) {
    const isAnchor = at === path.length - 1; // trusted as it stands: nobody relies on its signature
    const problem = keyProblem(certificate) ?? (isAnchor ? null : signatureProblem(certificate));
    if (problem !== null) return { code: 'tls.weak-certificate', certificate, problem };
  }
  const stale = path.find((certificate) => !isInDate(certificate, nowMs));
  return stale === undefined ? null : { code: 'tls.expired', certificate: stale, problem: 'out of date' };
}

/** Whether the moment lies within the certificate's dates, both included. RFC 5280, section 4.1.2.5 */
export function isInDate(certificate: Certificate, nowMs: number): boolean {
  return certificate.notBeforeMs <= nowMs && nowMs < certificate.notAfterMs + 1000;
}

/** Why the key itself proves nothing, or null. NIST SP 800-131A: RSA below 2048 bits is disallowed. */
export function keyProblem(certificate: Certificate): string | null {
  const { publicKey } = certificate;
  const isShort = publicKey.kind === 'rsa' && publicKey.modulusBytes < 256;
  return isShort ? `its RSA key has only ${8 * publicKey.modulusBytes} bits` : null;
}

/** Why the signature proves nothing, or null: MD5 and SHA-1 are broken for this use. RFC 9155 */
export function signatureProblem(certificate: Certificate): string | null {
  const { hash, name } = certificate.signatureAlgorithm;
  return hash === 'md5' || hash === 'sha1' ? `it is signed with ${name}` : null;
}

function unknownProblem(certificate: Certificate): string | null {
  const [first] = certificate.unknownCritical;
  return first === undefined ? null : `it has the critical extension ${first}, which we do not know`;
}

/**
 * What keeps a certificate from being a server's. RFC 5280, section 4.2.1.3; RFC 8446, section 4.4.2.2: the key must be
 * allowed to sign the handshake.
 */
export function leafProblem(leaf: Certificate): string | null {
  if (leaf.keyUsage !== null && !leaf.keyUsage.digitalSignature) return 'its key usage does not allow signatures';
  return mayServe(leaf, [SERVER_AUTH]) ? null : 'its extended key usage does not include server authentication';
}

function issuerProblem(path: readonly Certificate[], at: number): string | null {
  const issuer = path[at] as Certificate;
  const isOldRoot = issuer.version < 3 && at === path.length - 1; // version 1 cannot say it is a CA; it was imported as one
  if (!issuer.isCa && !isOldRoot) return `${issuer.subject.text} is not a CA`;
  if (issuer.keyUsage !== null && !issuer.keyUsage.keyCertSign)
    return `${issuer.subject.text} may not sign certificates`;
  const below = path.slice(1, at).filter((certificate) => !isSelfIssued(certificate)).length;
  if (issuer.pathLength !== null && below > issuer.pathLength)
    return `the chain below ${issuer.subject.text} is too long`;
  if (!mayServe(issuer, [SERVER_AUTH, ANY_PURPOSE]))
    return `${issuer.subject.text} may not issue certificates for servers`;
  const judged = path.slice(0, at).filter((certificate, i) => i === 0 || !isSelfIssued(certificate));
  const isAllowed = judged.every((certificate) => isAllowedBy(issuer, certificate));
  return isAllowed ? null : `${issuer.subject.text} may not issue certificates for these names`;
}

/**
 * One of the purposes, or no word about it. "Any purpose" counts for a CA but not for a server, as openssl has it and
 * as RFC 5280, section 4.2.1.12 allows.
 */
function mayServe({ extendedKeyUsage }: Certificate, purposes: readonly string[]): boolean {
  return extendedKeyUsage === null || extendedKeyUsage.some((oid) => purposes.includes(oid));
}

function unsignedProblem(certificate: Certificate, issuer: Certificate): PathProblem {
  const { hash, name, scheme } = certificate.signatureAlgorithm;
  if (hash === 'md5' || hash === 'sha1') {
    return { code: 'tls.weak-certificate', certificate, problem: `it is signed with ${name}` };
  }
  const problem =
    scheme === null ? `it is signed with ${name}, which we cannot check` : `${issuer.subject.text} did not sign it`;
  return { code: 'tls.untrusted', certificate, problem };
}

function noPath(leaf: Certificate): PathProblem {
  const problem = isSelfIssued(leaf)
    ? 'it vouches for itself'
    : `its issuer ${leaf.issuer.text} leads to no root that you trust`;
  return { code: 'tls.untrusted', certificate: leaf, problem };
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const ANY_PURPOSE = '2.5.29.37.0';
