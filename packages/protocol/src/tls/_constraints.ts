import type { NameSubtrees } from './_extensions.ts';
import type { DistinguishedName } from './_names.ts';
import type { Certificate } from './x509.ts';

/**
 * Whether every name of the certificate is allowed by the name constraints of a CA above it. Subjects, DNS names and
 * addresses are judged; constraints on other forms bear on nothing we believe of a host.
 *
 * RFC 5280, sections 4.2.1.10 and 6.1.3 (b), (c)
 */
export function isAllowedBy(ca: Certificate, certificate: Certificate): boolean {
  if (ca.nameConstraints === null) return true;
  const { permitted, excluded } = ca.nameConstraints;
  return isPermitted(permitted, certificate) && !isExcluded(excluded, certificate);
}

/** Each name must lie in a subtree of its own form, if there is one of that form. */
function isPermitted(subtrees: NameSubtrees, certificate: Certificate): boolean {
  const { dnsNames, ipAddresses, directoryNames } = subtrees;
  const areNames =
    dnsNames.length === 0 || certificate.dnsNames.every((name) => dnsNames.some((tree) => isNameWithin(name, tree)));
  const areAddresses =
    ipAddresses.length === 0 ||
    certificate.ipAddresses.every((address) => ipAddresses.some((tree) => isAddressWithin(address, tree)));
  const isSubject =
    directoryNames.length === 0 ||
    certificate.subject.rdns.length === 0 ||
    directoryNames.some((tree) => isSubjectWithin(certificate.subject, tree));
  return areNames && areAddresses && isSubject;
}

function isExcluded(subtrees: NameSubtrees, certificate: Certificate): boolean {
  return (
    certificate.dnsNames.some((name) => subtrees.dnsNames.some((tree) => couldNameReach(name, tree))) ||
    certificate.ipAddresses.some((address) => subtrees.ipAddresses.some((tree) => isAddressWithin(address, tree))) ||
    subtrees.directoryNames.some((tree) => isSubjectWithin(certificate.subject, tree))
  );
}

/** The name is the tree's own or below it; a tree led by a dot holds only what is below. */
function isNameWithin(name: string, tree: string): boolean {
  const plain = name.toLowerCase().replace(/\.$/, '').replace(/^\*/, 'x');
  if (tree === '') return true;
  if (tree.startsWith('.')) return plain.endsWith(tree);
  return plain === tree || plain.endsWith(`.${tree}`);
}

/** As isNameWithin; and a wildcard reaches into the trees that begin one label below it. */
function couldNameReach(name: string, tree: string): boolean {
  if (isNameWithin(name, tree)) return true;
  return name.startsWith('*.') && tree.replace(/^\./, '').endsWith(name.slice(1).toLowerCase().replace(/\.$/, ''));
}

/** Address and mask in a row, of the same family. */
function isAddressWithin(address: Uint8Array, tree: Uint8Array): boolean {
  if (tree.length !== 2 * address.length) return false;
  return address.every((byte, i) => {
    const mask = tree[address.length + i] as number;
    return (byte & mask) === ((tree[i] as number) & mask);
  });
}

/** The tree's parts are the subject's first parts, without regard to case and repeated blanks. RFC 5280, section 7.1 */
function isSubjectWithin(subject: DistinguishedName, tree: DistinguishedName): boolean {
  if (tree.rdns.length > subject.rdns.length) return false;
  return tree.rdns.every((attributes, i) => foldRdn(attributes) === foldRdn(subject.rdns[i] ?? []));
}

function foldRdn(attributes: DistinguishedName['rdns'][number]): string {
  const folded = attributes.map(({ type, value }) => `${type}=${value.trim().replace(/\s+/g, ' ').toLowerCase()}`);
  return JSON.stringify(folded.sort());
}
