import { toHex } from '../bytes/bytes.ts';
import type { OnUnderrun } from '../bytes/cursor.ts';
import { contextTag, DerReader } from '../codec/der.ts';
import { ASN1, implicitTag, onlyValue, takeBoolean, takeFlags, takeOid, takeSmall } from './_asn1.ts';
import { isPlainName } from './_host.ts';
import {
  type AlternativeNames,
  type DistinguishedName,
  MAX_NAMES,
  readAlternativeNames,
  takeDistinguishedName,
} from './_names.ts';

/** What a key may be used for; only the uses we ask about. RFC 5280, section 4.2.1.3 */
export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyEncipherment: boolean;
  readonly keyAgreement: boolean;
  readonly keyCertSign: boolean;
}

/** Subtrees of names, of the forms that bear on a host. RFC 5280, section 4.2.1.10 */
export interface NameSubtrees {
  readonly dnsNames: readonly string[];
  /** Address and mask, 8 or 32 bytes. */
  readonly ipAddresses: readonly Uint8Array[];
  readonly directoryNames: readonly DistinguishedName[];
}

/** What a CA's certificate allows below it. */
export interface NameConstraints {
  readonly permitted: NameSubtrees;
  readonly excluded: NameSubtrees;
}

/** The extensions of a certificate that we act on. RFC 5280, section 4.2 */
export interface CertificateExtensions extends AlternativeNames {
  /** basicConstraints says so; false when there is no such extension. */
  readonly isCa: boolean;
  /** Most intermediate CAs that may follow; null for any number. */
  readonly pathLength: number | null;
  /** null when the certificate does not restrict it. */
  readonly keyUsage: KeyUsage | null;
  /** Dotted identifiers; null when the certificate does not restrict it. RFC 5280, section 4.2.1.12 */
  readonly extendedKeyUsage: readonly string[] | null;
  readonly nameConstraints: NameConstraints | null;
  /** Lower-case hexadecimal, or null. */
  readonly subjectKeyId: string | null;
  /** Lower-case hexadecimal, or null. */
  readonly authorityKeyId: string | null;
  /** Whether there is a subjectAltName at all, of whatever forms. */
  readonly hasAlternativeNames: boolean;
  /** Identifiers of critical extensions that we do not act on: a path through this certificate is refused. */
  readonly unknownCritical: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Mutable<CertificateExtensions> & { unknownCritical: string[] };

const MAX_EXTENSIONS = 64;

/** Reads Extensions; null stands for a certificate without any. */
export function readExtensions(outer: DerReader | null, onProblem: OnUnderrun): CertificateExtensions {
  const draft = noExtensions();
  if (outer === null) return draft;
  const list = outer.inside(ASN1.sequence);
  outer.end();
  const seen = new Set<string>();
  while (!list.isAtEnd) {
    const extension = list.inside(ASN1.sequence);
    const oid = takeOid(extension, onProblem);
    const isCritical = extension.peekTag() === ASN1.boolean && takeBoolean(extension, onProblem);
    const value = extension.take(ASN1.octetString);
    extension.end();
    if (seen.has(oid)) onProblem(`the extension ${oid} twice`);
    if (seen.size >= MAX_EXTENSIONS) onProblem('too many extensions');
    seen.add(oid);
    const read = READERS[oid];
    if (read !== undefined) read(value, draft, onProblem);
    else if (isCritical && !HARMLESS_WHEN_CRITICAL.has(oid)) draft.unknownCritical.push(oid);
  }
  return draft;
}

function noExtensions(): Draft {
  return {
    dnsNames: [],
    ipAddresses: [],
    userPrincipalNames: [],
    hasAlternativeNames: false,
    isCa: false,
    pathLength: null,
    keyUsage: null,
    extendedKeyUsage: null,
    nameConstraints: null,
    subjectKeyId: null,
    authorityKeyId: null,
    unknownCritical: [],
  };
}

function readBasicConstraints(value: Uint8Array, draft: Draft, onProblem: OnUnderrun): void {
  const reader = onlyValue(value, ASN1.sequence, onProblem);
  draft.isCa = reader.peekTag() === ASN1.boolean && takeBoolean(reader, onProblem);
  if (reader.peekTag() === ASN1.integer) {
    const pathLength = takeSmall(reader, onProblem);
    if (draft.isCa) draft.pathLength = pathLength;
  }
  reader.end();
}

function readKeyUsage(value: Uint8Array, draft: Draft, onProblem: OnUnderrun): void {
  const reader = new DerReader(value, onProblem);
  const has = takeFlags(reader, onProblem);
  reader.end();
  draft.keyUsage = { digitalSignature: has(0), keyEncipherment: has(2), keyAgreement: has(4), keyCertSign: has(5) };
}

function readExtendedKeyUsage(value: Uint8Array, draft: Draft, onProblem: OnUnderrun): void {
  const reader = onlyValue(value, ASN1.sequence, onProblem);
  const purposes: string[] = [];
  while (!reader.isAtEnd && purposes.length < MAX_NAMES) purposes.push(takeOid(reader, onProblem));
  reader.end();
  draft.extendedKeyUsage = purposes;
}

function readSubjectKeyId(value: Uint8Array, draft: Draft, onProblem: OnUnderrun): void {
  const reader = new DerReader(value, onProblem);
  draft.subjectKeyId = toHex(reader.take(ASN1.octetString));
  reader.end();
}

function readAuthorityKeyId(value: Uint8Array, draft: Draft, onProblem: OnUnderrun): void {
  const keyId = onlyValue(value, ASN1.sequence, onProblem).takeOptional(implicitTag(0));
  draft.authorityKeyId = keyId === null ? null : toHex(keyId);
}

function readNameConstraints(value: Uint8Array, draft: Draft, onProblem: OnUnderrun): void {
  const reader = onlyValue(value, ASN1.sequence, onProblem);
  const permitted = readSubtrees(reader.insideOptional(contextTag(0)), draft, onProblem);
  const excluded = readSubtrees(reader.insideOptional(contextTag(1)), draft, onProblem);
  reader.end();
  draft.nameConstraints = { permitted, excluded };
}

/**
 * GeneralSubtrees. Constraints on e-mail addresses, URIs and other names bear on nothing we believe of a host; forms
 * beyond those make the certificate one we cannot judge.
 */
function readSubtrees(list: DerReader | null, draft: Draft, onProblem: OnUnderrun): NameSubtrees {
  const dnsNames: string[] = [];
  const ipAddresses: Uint8Array[] = [];
  const directoryNames: DistinguishedName[] = [];
  for (let count = 0; list !== null && !list.isAtEnd; count++) {
    if (count >= MAX_NAMES) onProblem('too many name constraints');
    const subtree = list.inside(ASN1.sequence);
    const tag = subtree.peekTag() ?? onProblem('an empty name constraint');
    if (tag === contextTag(4)) {
      const name = subtree.inside(tag);
      directoryNames.push(takeDistinguishedName(name, onProblem));
      name.end();
    } else {
      const content = subtree.take(tag);
      if (tag === implicitTag(2)) {
        const name = String.fromCharCode(...content.subarray(0, 256)).toLowerCase();
        // A wildcard or a dot behind would match nothing: as an exclusion that is no constraint at all.
        if (name !== '' && !isPlainName(name.replace(/^\./, ''))) draft.unknownCritical.push(`${NAME_CONSTRAINTS}[2]`);
        dnsNames.push(name);
      } else if (tag === implicitTag(7)) {
        if (content.length !== 8 && content.length !== 32)
          onProblem(`an address constraint of ${content.length} bytes`);
        ipAddresses.push(content);
      } else if (tag !== implicitTag(1) && tag !== implicitTag(6) && tag !== contextTag(0)) {
        draft.unknownCritical.push(`${NAME_CONSTRAINTS}[${tag & 0x1f}]`);
      }
    }
    if (!subtree.isAtEnd) onProblem('a name constraint with minimum or maximum'); // RFC 5280: they are not used
  }
  return { dnsNames, ipAddresses, directoryNames };
}

type ReadExtension = (value: Uint8Array, draft: Draft, onProblem: OnUnderrun) => void;

const NAME_CONSTRAINTS = '2.5.29.30';

const READERS: Readonly<Partial<Record<string, ReadExtension>>> = {
  '2.5.29.14': readSubjectKeyId,
  '2.5.29.15': readKeyUsage,
  '2.5.29.17': (value, draft, onProblem) => {
    Object.assign(draft, readAlternativeNames(value, onProblem), { hasAlternativeNames: true });
  },
  '2.5.29.19': readBasicConstraints,
  [NAME_CONSTRAINTS]: readNameConstraints,
  '2.5.29.35': readAuthorityKeyId,
  '2.5.29.37': readExtendedKeyUsage,
};

/**
 * Extensions that may be critical though we read nothing in them: certificate policies and inhibitAnyPolicy forbid
 * nothing to someone who asks for no policy. policyConstraints is not among them. RFC 5280, section 6.1.1 (c) to (g)
 */
const HARMLESS_WHEN_CRITICAL = new Set(['2.5.29.32', '2.5.29.54']);
