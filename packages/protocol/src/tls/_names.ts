import { latin1Decode, toHex, utf8Decode } from '../bytes/bytes.ts';
import type { OnUnderrun } from '../bytes/cursor.ts';
import { contextTag, DerReader } from '../codec/der.ts';
import { ASN1, implicitTag, takeOid } from './_asn1.ts';

/** One attribute of a distinguished name. */
export interface NameAttribute {
  /** Dotted object identifier. */
  readonly type: string;
  /** Safe to show: characters that do not print, or that reorder what does, are written as \uXXXX. */
  readonly value: string;
}

/** A subject or an issuer. */
export interface DistinguishedName {
  /** The whole value, the form in which issuer and subject are compared. */
  readonly der: Uint8Array;
  /** In the order of the certificate, from the widest to the narrowest; each inner list is one RDN. */
  readonly rdns: readonly (readonly NameAttribute[])[];
  /** "CN=host, O=Company": narrowest first, as Windows and RFC 4514 write it; at most 512 characters. */
  readonly text: string;
}

/** The names of subjectAltName that matter to us. RFC 5280, section 4.2.1.6 */
export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  /** 4 or 16 bytes each. */
  readonly ipAddresses: readonly Uint8Array[];
  /** User principal names: what Windows reads in a client certificate. */
  readonly userPrincipalNames: readonly string[];
}

/** A certificate with more names than this is refused: no honest one has a tenth of them. */
export const MAX_NAMES = 1000;
const MAX_TEXT_CHARACTERS = 512;
const USER_PRINCIPAL_NAME = '1.3.6.1.4.1.311.20.2.3';

/** Reads a Name. RFC 5280, section 4.1.2.4 */
export function takeDistinguishedName(reader: DerReader, onProblem: OnUnderrun): DistinguishedName {
  const der = reader.takeEncoded(ASN1.sequence);
  const outer = new DerReader(der, onProblem).inside(ASN1.sequence);
  const rdns: NameAttribute[][] = [];
  while (!outer.isAtEnd) {
    if (rdns.length >= MAX_NAMES) onProblem('a name of too many parts');
    rdns.push(takeRdn(outer, onProblem));
  }
  const text = rdns
    .map((attributes) => attributes.map(({ type, value }) => `${ATTRIBUTE_NAMES[type] ?? type}=${value}`).join(' + '))
    .reverse()
    .join(', ');
  return { der, rdns, text: clip(text) };
}

/** Reads the GeneralNames of a subjectAltName's value. */
export function readAlternativeNames(value: Uint8Array, onProblem: OnUnderrun): AlternativeNames {
  const outer = new DerReader(value, onProblem);
  const names = outer.inside(ASN1.sequence);
  outer.end();
  const dnsNames: string[] = [];
  const ipAddresses: Uint8Array[] = [];
  const userPrincipalNames: string[] = [];
  for (let count = 0; !names.isAtEnd; count++) {
    if (count >= MAX_NAMES) onProblem('too many alternative names');
    const tag = names.peekTag() as number;
    if (tag === contextTag(0)) {
      const upn = readPrincipal(names.inside(tag), onProblem);
      if (upn !== null) userPrincipalNames.push(upn);
      continue;
    }
    const content = names.take(tag);
    if (tag === implicitTag(2)) dnsNames.push(printable(latin1Decode(content)));
    else if (tag === implicitTag(7)) {
      if (content.length !== 4 && content.length !== 16) onProblem(`an IP address of ${content.length} bytes`);
      ipAddresses.push(content);
    }
  }
  return { dnsNames, ipAddresses, userPrincipalNames };
}

/** Text without characters that do not print or that reorder others: those become \uXXXX. */
export function printable(text: string): string {
  return clip(text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => escaped(character)));
}

function takeRdn(outer: DerReader, onProblem: OnUnderrun): NameAttribute[] {
  const set = outer.inside(ASN1.set);
  const attributes: NameAttribute[] = [];
  while (!set.isAtEnd) {
    const attribute = set.inside(ASN1.sequence);
    const type = takeOid(attribute, onProblem);
    attributes.push({ type, value: takeText(attribute, onProblem) });
    attribute.end();
  }
  return attributes;
}

/** DirectoryString and its relatives; a value of another type is shown as its bytes. */
function takeText(reader: DerReader, onProblem: OnUnderrun): string {
  const tag = reader.peekTag() ?? onProblem('an attribute without a value');
  const content = reader.take(tag);
  if (tag === ASN1.utf8String) return printable(utf8Decode(content));
  if (tag === ASN1.bmpString) return printable(bigEndianText(content));
  if (tag === ASN1.universalString) return `#${clip(toHex(content))}`;
  const isLatin = tag === ASN1.printableString || tag === ASN1.ia5String || tag === ASN1.teletexString;
  return isLatin ? printable(latin1Decode(content)) : `#${clip(toHex(content))}`;
}

/** OtherName: type-id and [0] EXPLICIT value; null unless it is a user principal name. */
function readPrincipal(other: DerReader, onProblem: OnUnderrun): string | null {
  if (takeOid(other, onProblem) !== USER_PRINCIPAL_NAME) return null;
  const value = other.inside(contextTag(0));
  return takeText(value, onProblem);
}

/** BMPString: UTF-16, big-endian; an odd byte at the end is dropped. */
function bigEndianText(content: Uint8Array): string {
  let text = '';
  for (let i = 0; i + 1 < content.length; i += 2) {
    text += String.fromCharCode(((content[i] as number) << 8) | (content[i + 1] as number));
  }
  return text;
}

function escaped(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function clip(text: string): string {
  return text.length <= MAX_TEXT_CHARACTERS ? text : `${text.slice(0, MAX_TEXT_CHARACTERS - 1)}…`;
}

/** Short names of RFC 4514, section 3, and what Windows and openssl write for the rest. */
const ATTRIBUTE_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'E',
};
