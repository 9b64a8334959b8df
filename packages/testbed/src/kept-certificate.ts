import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeCertificate, type TlsIdentity } from './certificate.ts';

/**
 * The demo's certificate and key in one PEM file that only its owner may read, made when there is none: whoever pinned
 * it must meet it again after a restart. A file that is damaged, or whose certificate ends soon, is replaced.
 *
 * @throws the error of the file system when the file can be neither read nor written
 */
export function keptCertificate(file: string, commonName: string): TlsIdentity {
  const kept = readIdentity(file);
  if (kept !== null) {
    chmodSync(file, OWNER_ONLY);
    return kept;
  }
  const validUntilMs = Date.now() + VALID_DAYS * DAY_MS;
  const identity = makeCertificate({ commonName, names: ['localhost', '127.0.0.1', '::1'], validUntilMs });
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Written beside and moved, so that a demo stopped in the middle leaves no half of a file.
  const draft = `${file}.${process.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, identity.certificate + identity.key, { mode: OWNER_ONLY, flag: 'wx' });
  renameSync(draft, file);
  return identity;
}

const OWNER_ONLY = 0o600;
const DAY_MS = 86_400_000;
const VALID_DAYS = 5 * 365;
/** Nobody should have to look at a demo that is about to expire. */
const LEAST_DAYS_LEFT = 30;

/** Null when the file is not there, is damaged, or is of no use for much longer. */
function readIdentity(file: string): TlsIdentity | null {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const certificate = new X509Certificate(text);
    const key = createPrivateKey(text);
    const isFresh = certificate.validToDate.getTime() > Date.now() + LEAST_DAYS_LEFT * DAY_MS;
    if (!isFresh || !certificate.checkPrivateKey(key)) return null;
    return { certificate: certificate.toString(), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
  } catch {
    return null; // no PEM in it
  }
}
