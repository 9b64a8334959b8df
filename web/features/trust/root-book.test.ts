import { readCertificates, sha256Thumbprint } from '@fairlead/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addRoots, forgetRoots, MAX_ROOTS, ROOTS_KEY, readRoots, removeRoot } from './root-book.ts';

/** A self-signed P-256 certificate with CA:TRUE; from openssl req -x509. */
const ROOT = Uint8Array.from(
  atob(
    'MIIBgjCCASmgAwIBAgIUF/Ex78PksH/yTGLdLB4Sl7IeRRMwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMSGFyYm91ciByb290MB4X' +
      'DTI2MTEyMDA5NDE0NFoXDTQ2MTExNTA5NDE0NFowFzEVMBMGA1UEAwwMSGFyYm91ciByb290MFkwEwYHKoZIzj0CAQYIKoZIzj0D' +
      'AQcDQgAEDn3QO3sTW179IlFWbK+pYxUpbKVYf6zVVIOT5k3wB2FhAquCCDKpluoZDoYB1JnFaCxtdihbOjtCkcwcHbpmm6NTMFEw' +
      'HQYDVR0OBBYEFATzSKs8gcb1oWS17t4FGcoP9UgnMB8GA1UdIwQYMBaAFATzSKs8gcb1oWS17t4FGcoP9UgnMA8GA1UdEwEB/wQF' +
      'MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgCV4lf9EYwYvaQsGVVqSmnj/VV5XEQkoFKJIDOdQWC+MCIDfLEWjqA0nP8uURTI2k6PbB' +
      'MUgJEUfVCNO2gZY5Mrw7',
  ),
  (char) => char.charCodeAt(0),
);
const stored = new Map<string, string>();

beforeEach(() => {
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, text: string) => void stored.set(key, text),
    removeItem: (key: string) => void stored.delete(key),
  });
});
afterEach(() => {
  stored.clear();
  vi.unstubAllGlobals();
});

describe('the roots this browser keeps', () => {
  it('are kept once each and read back', () => {
    const [root] = readCertificates(ROOT);
    if (root === undefined) throw new Error('no certificate');
    addRoots([root, root]);
    addRoots([root]);
    expect(readRoots()?.map(sha256Thumbprint)).toEqual([sha256Thumbprint(root)]);
    expect(readRoots()?.[0]?.subject.text).toContain('Harbour root');
    removeRoot(sha256Thumbprint(root));
    expect(readRoots()).toEqual([]);
  });

  it('are null when they cannot be read, and refuse to be added to', () => {
    const roots = readCertificates(ROOT);
    for (const junk of ['{', '{}', '["AAAA"]', JSON.stringify(Array(MAX_ROOTS + 1).fill(''))]) {
      stored.set(ROOTS_KEY, junk);
      expect(readRoots()).toBeNull();
      expect(() => addRoots(roots)).toThrow('misuse.bad-argument');
    }
    forgetRoots();
    expect(readRoots()).toEqual([]);
  });
});
