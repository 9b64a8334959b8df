import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { digest } from '../crypto/digest.ts';
import { md5 } from '../crypto/hash.ts';
import type { Platform } from '../platform.ts';
import type { Challenge } from '../security.ts';
import type { Credential } from './credential.ts';

/** What is signed: the request's method and its target as it is sent. */
export interface DigestRequest {
  readonly method: string;
  readonly uri: string;
}

/** Longer than any nonce in use; keeps an answer from being as long as an asker likes. */
const MAX_PARAM_CHARACTERS = 1024;
const CNONCE_BYTES = 16;

/**
 * The challenge of a list that can be answered: SHA-256 before MD5, `auth` or no quality of protection at all.
 * RFC 7616, section 3.3. Null when there is none.
 */
export function chooseDigest(offered: readonly Challenge[]): Challenge | null {
  const usable = offered.filter(({ scheme, params }) => {
    const isLong = [...params.values()].some((value) => value.length > MAX_PARAM_CHARACTERS);
    const isDigest = scheme.toLowerCase() === 'digest' && params.has('realm') && params.has('nonce');
    return isDigest && !isLong && hashOf(params) !== null && (!params.has('qop') || offersAuth(params));
  });
  return usable.find(({ params }) => hashOf(params) === 'sha256') ?? usable[0] ?? null;
}

/** What keeps a challenge of Digest from being answered, for a person; "" when nothing does, or nobody can say. */
export function digestTrouble(challenge: Challenge): string {
  const { params } = challenge;
  if (chooseDigest([challenge]) !== null) return '';
  if (hashOf(params) === null) return `algorithm ${readable(params.get('algorithm'))}`;
  return params.has('qop') && !offersAuth(params) ? `qop ${readable(params.get('qop'))}` : '';
}

function readable(word: string | undefined): string {
  return (word ?? '').replace(/[^\w, -]/g, '?').slice(0, 32);
}

/**
 * The parameters of an Authorization that answers a challenge, as they are written after "Digest".
 *
 * RFC 7616, section 3.4; without `qop` as RFC 2617, section 3.2.2.1
 * @param count how often the nonce has been used, this time included
 */
export function digestAnswer(
  { params }: Challenge,
  credential: Credential,
  request: DigestRequest,
  { count, platform }: { count: number; platform: Platform },
): string {
  const hash = hashWith(hashOf(params) ?? 'md5');
  const name = credential.domain === '' ? credential.user : `${credential.domain}\\${credential.user}`;
  const [realm, nonce] = [params.get('realm') ?? '', params.get('nonce') ?? ''];
  const cnonce = toHex(platform.random(CNONCE_BYTES));
  const nc = count.toString(16).padStart(8, '0');
  const algorithm = params.get('algorithm');
  const isSession = algorithm?.toLowerCase().endsWith('-sess') ?? false;
  const once = hash(`${name}:${realm}:${credential.secret.reveal()}`);
  const key = isSession ? hash(`${once}:${nonce}:${cnonce}`) : once;
  const signed = hash(`${request.method}:${request.uri}`);
  const hasQop = params.has('qop');
  const response = hash(hasQop ? `${key}:${nonce}:${nc}:${cnonce}:auth:${signed}` : `${key}:${nonce}:${signed}`);
  const isNameHashed = params.get('userhash')?.toLowerCase() === 'true';
  const fields = [
    isNameHashed ? `username=${quoted(hash(`${name}:${realm}`))}` : userField(name),
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(request.uri)}`,
    `response=${quoted(response)}`,
  ];
  // The algorithm is repeated as it was named, and not named where it was not: some compare. RFC 7616, section 3.4
  if (algorithm !== undefined) fields.push(`algorithm=${algorithm}`);
  const opaque = params.get('opaque');
  if (opaque !== undefined) fields.push(`opaque=${quoted(opaque)}`);
  if (hasQop) fields.push('qop=auth', `nc=${nc}`, `cnonce=${quoted(cnonce)}`);
  else if (isSession) fields.push(`cnonce=${quoted(cnonce)}`);
  if (isNameHashed) fields.push('userhash=true');
  return fields.join(', ');
}

function hashOf(params: ReadonlyMap<string, string>): 'md5' | 'sha256' | null {
  const name = (params.get('algorithm') ?? 'MD5').toLowerCase().replace(/-sess$/, '');
  if (name === 'md5') return 'md5';
  return name === 'sha-256' ? 'sha256' : null;
}

function offersAuth(params: ReadonlyMap<string, string>): boolean {
  const words = (params.get('qop') ?? '').split(',').map((word) => word.trim().toLowerCase());
  return words.includes('auth');
}

function hashWith(name: 'md5' | 'sha256'): (text: string) => string {
  return (text) => toHex(name === 'md5' ? md5(utf8Encode(text)) : digest('sha256', utf8Encode(text)));
}

/** RFC 7616, section 3.4: a name beyond ASCII travels in the notation of RFC 8187. */
function userField(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name)) return `username=${quoted(name)}`;
  const encoded = [...utf8Encode(name)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9!#$&+.^_`|~-]/.test(character) && byte < 128
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return `username*=UTF-8''${encoded.join('')}`;
}

/** RFC 9110, section 5.6.4. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
