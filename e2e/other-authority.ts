import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsIdentity } from '@fairlead/testbed';

/** A certificate for loopback that an authority issued, as a proxy shows it that opens TLS. Made by openssl. */
export function issuedByOther(authority: string): TlsIdentity {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-authority-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'pipe' });
  try {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl(
      'req',
      '-x509',
      ...key,
      '-subj',
      `/O=Harbour Inspection/CN=${authority}`,
      '-keyout',
      at('ca.key'),
      '-out',
      at('ca.pem'),
    );
    openssl('req', ...key, '-subj', '/CN=127.0.0.1', '-keyout', at('key'), '-out', at('request'));
    writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n');
    const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('names')];
    openssl('x509', '-req', '-in', at('request'), ...signing, '-days', '30', '-out', at('pem'));
    return { certificate: readFileSync(at('pem'), 'latin1'), key: readFileSync(at('key'), 'latin1') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
