import { type Certificate, fail, parseCertificate, sha256Thumbprint } from '@fairlead/protocol';
import { KeptText } from '../../lib/kept-text.ts';

/** Key in localStorage. */
export const ROOTS_KEY = 'fairlead.roots';

/** The most roots one browser keeps: a company has a handful. */
export const MAX_ROOTS = 50;

const text = new KeptText(ROOTS_KEY);
let read: { readonly text: string | null; readonly roots: readonly Certificate[] | null } = { text: null, roots: [] };

/** Certificates imported as roots; null when what is kept cannot be read. The same object until something changes. */
export function readRoots(): readonly Certificate[] | null {
  const now = text.read();
  if (now !== read.text) read = { text: now, roots: parse(now) };
  return read.roots;
}

/**
 * Adds roots; each is kept once.
 * @throws misuse.bad-argument too-long past MAX_ROOTS, malformed while what is kept cannot be read
 */
export function addRoots(roots: readonly Certificate[]): void {
  const all = new Map([...known(), ...roots].map((root) => [sha256Thumbprint(root), root]));
  if (all.size > MAX_ROOTS) fail('misuse.bad-argument', { argument: 'roots', reason: 'too-long', limit: MAX_ROOTS });
  write([...all.values()]);
}

/** Takes one out, by its SHA-256. */
export function removeRoot(sha256: string): void {
  write(known().filter((root) => sha256Thumbprint(root) !== sha256));
}

/** Gives up all of them, readable or not. */
export function forgetRoots(): void {
  text.write(null);
}

/** Calls back after each change until the returned function is called. */
export function watchRoots(listener: () => void): () => void {
  return text.watch(listener);
}

function known(): readonly Certificate[] {
  return readRoots() ?? fail('misuse.bad-argument', { argument: 'roots', reason: 'malformed' });
}

function write(roots: readonly Certificate[]): void {
  text.write(roots.length === 0 ? null : JSON.stringify(roots.map(({ der }) => toBase64(der))));
}

function parse(stored: string | null): readonly Certificate[] | null {
  if (stored === null) return [];
  try {
    const list: unknown = JSON.parse(stored);
    if (!Array.isArray(list) || list.length > MAX_ROOTS) return null;
    return list.map((item: unknown) => parseCertificate(fromBase64(String(item))));
  } catch {
    return null;
  }
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function fromBase64(encoded: string): Uint8Array {
  return Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
}
