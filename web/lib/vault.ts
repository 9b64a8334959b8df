import type { ClientCertificate } from '@fairlead/protocol';

/**
 * Secrets of this tab. Passwords that were typed live in memory and go with the tab. One secret outlives a reload: the
 * demo's password, as AES-GCM ciphertext in IndexedDB under a key the browser will use but never hand out. It opens
 * nothing but the throw-away demo host of this machine.
 */

const passwords = new Map<string, string>();
const certificates = new Map<string, ClientCertificate>();

/** Remembers a password until the tab closes or it is forgotten. The key names target and user, never a secret. */
export function keepPassword(key: string, password: string): void {
  passwords.set(key, password);
}

/** The password remembered under a key, or null. */
export function findPassword(key: string): string | null {
  return passwords.get(key) ?? null;
}

/** Forgets one password, as after a server has rejected it. */
export function forgetPassword(key: string): void {
  passwords.delete(key);
}

/** Remembers a certificate to log on with until the tab closes; one it replaces is wiped. */
export function keepCertificate(key: string, certificate: ClientCertificate): void {
  const before = certificates.get(key);
  if (before !== undefined && before !== certificate) before.key.wipe();
  certificates.set(key, certificate);
}

/** The certificate remembered under a key, or null. */
export function findCertificate(key: string): ClientCertificate | null {
  return certificates.get(key) ?? null;
}

/** Keeps the demo's password for this tab and, where the browser allows, sealed for the next load. */
export async function keepDemoPassword(password: string): Promise<void> {
  passwords.set(DEMO, password);
  try {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(password));
    await withStore('readwrite', (store) => store.put({ key, iv, sealed }, DEMO));
  } catch {
    // Private windows may refuse storage: the demo then asks for a sign-in after a reload.
  }
}

/** The demo's password: from memory, else unsealed from the browser's storage, else null. */
export async function findDemoPassword(): Promise<string | null> {
  const kept = passwords.get(DEMO);
  if (kept !== undefined) return kept;
  try {
    const record: unknown = await withStore('readonly', (store) => store.get(DEMO));
    if (!isSealedRecord(record)) return null;
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: record.iv }, record.key, record.sealed);
    const password = new TextDecoder().decode(plain);
    passwords.set(DEMO, password);
    return password;
  } catch {
    return null;
  }
}

/** Forgets every secret, in memory and in storage. */
export async function forgetEverything(): Promise<void> {
  passwords.clear();
  for (const { key } of certificates.values()) key.wipe();
  certificates.clear();
  try {
    await withStore('readwrite', (store) => store.clear());
  } catch {
    // Nothing was stored where storage is refused.
  }
}

const DEMO = 'demo';
const DATABASE = 'fairlead';
const STORE = 'sealed';

interface SealedRecord {
  readonly key: CryptoKey;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
}

function isSealedRecord(value: unknown): value is SealedRecord {
  return typeof value === 'object' && value !== null && 'key' in value && 'iv' in value && 'sealed' in value;
}

async function withStore<Value>(
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest<Value>,
): Promise<Value> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settled(opening);
  try {
    return await settled(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function settled<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new DOMException('storage refused', 'UnknownError'));
  });
}
