/**
 * Takes the demo's password to another port of this machine, where the same page is another origin and has none of this
 * one's storage. The address carries a key that is used once, a cookie of a minute the password under that key: neither
 * is worth anything alone, and the relay, which sees the cookie, never sees a fragment.
 */

/** Where cookies are kept: `cookieStore`, or in a test something like it. */
export interface CookieJar {
  get(name: string): Promise<{ readonly value?: string | undefined } | null>;
  set(cookie: { name: string; value: string; expires: number; path: string; sameSite: 'strict' }): Promise<void>;
  delete(name: string): Promise<void>;
}

const COOKIE = 'fairlead-handover';
const FRAGMENT = /^#maze=([A-Za-z0-9_-]{43})$/;
const LASTS_MS = 60_000;

/** Leaves the password in the jar; returns the fragment to open the other address with. @throws what the jar throws */
export async function leaveHandover(password: string, jar: CookieJar): Promise<string> {
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt']);
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(password));
  const value = `${toText(iv)}.${toText(new Uint8Array(sealed))}`;
  await jar.set({ name: COOKIE, value, expires: Date.now() + LASTS_MS, path: '/', sameSite: 'strict' });
  return `#maze=${toText(raw)}`;
}

/** Whether an address was opened with a key in it. The caller clears it at once. */
export function isHandover(fragment: string): boolean {
  return FRAGMENT.test(fragment);
}

/** Takes the password out of the jar; null when it is not there, or not under the fragment's key. Never throws. */
export async function takeHandover(fragment: string, jar: CookieJar): Promise<string | null> {
  const raw = FRAGMENT.exec(fragment)?.[1];
  if (raw === undefined) return null;
  try {
    const [iv = '', sealed = ''] = (await jar.get(COOKIE))?.value?.split('.') ?? [];
    await jar.delete(COOKIE);
    const key = await crypto.subtle.importKey('raw', fromText(raw), 'AES-GCM', false, ['decrypt']);
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: fromText(iv) }, key, fromText(sealed));
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    // A browser without a jar of this kind, or a minute that is over: the demo then asks for a sign-in.
    return null;
  }
}

function toText(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function fromText(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}
