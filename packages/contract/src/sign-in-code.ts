/**
 * What a sign-in code turns into. The code itself never leaves the tab: the relay sees only a proof, and the demo's
 * password is another value of the same code that the relay cannot compute from the proof.
 * Both functions need a secure context (https, or http on a loopback name): elsewhere a page has no `crypto.subtle`.
 */

/** Letters and digits a code is made of: none that is easily taken for another. */
export const CODE_ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';

/** Characters of a code, without the hyphens it is printed with. Twelve of 31 are 59 bits. */
export const CODE_CHARACTERS = 12;

/** A code as it counts: upper case, without hyphens and blanks. */
export function normalizeCode(code: string): string {
  return code.toUpperCase().replace(/[\s\-\u2010-\u2015]+/g, '');
}

/** A code as it is printed: groups of four. */
export function printCode(code: string): string {
  return (normalizeCode(code).match(/.{1,4}/g) ?? []).join('-');
}

/** Makes a code of `CODE_CHARACTERS` from random bytes; `random` must be cryptographically strong. */
export function makeCode(random: (length: number) => Uint8Array): string {
  // Bytes past the last whole multiple of the alphabet are thrown away, so that every character is equally likely.
  const usable = 256 - (256 % CODE_ALPHABET.length);
  let code = '';
  while (code.length < CODE_CHARACTERS) {
    for (const byte of random(2 * CODE_CHARACTERS)) {
      if (byte < usable && code.length < CODE_CHARACTERS) code += CODE_ALPHABET.charAt(byte % CODE_ALPHABET.length);
    }
  }
  return code;
}

/** Proof that one knows a code: lower-case hex SHA-256 of "fairlead sign-in\n" and the normalised code. */
export async function signInProof(code: string): Promise<string> {
  return sha256Hex(`fairlead sign-in\n${normalizeCode(code)}`);
}

/** What the relay keeps of an expected proof: lower-case hex SHA-256 of the proof's text. */
export async function hashProof(proof: string): Promise<string> {
  return sha256Hex(proof);
}

/** The demo's password: the first 24 characters of base64url HMAC-SHA-256, key the code, text "fairlead demo\n". */
export async function demoPassword(code: string): Promise<string> {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey(
    'raw',
    encoder.encode(normalizeCode(code)),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
  const tag = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode('fairlead demo\n')));
  return btoa(String.fromCharCode(...tag))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .slice(0, 24);
}

async function sha256Hex(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
