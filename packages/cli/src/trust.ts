import {
  type ClientCertificate,
  isWinRmError,
  openClientCertificate,
  type Pin,
  readCertificates,
  type TrustOptions,
} from '@fairlead/protocol';
import type { Common } from './arguments.ts';
import { readNamedFile } from './read-file.ts';
import type { Terminal } from './terminal.ts';

/** Whom the command line lets us talk to over https. There is nobody to ask: what is not named is refused. */
export function trustFrom({ pins, caFiles }: Pick<Common, 'pins' | 'caFiles'>): TrustOptions {
  const roots = caFiles.flatMap((file) => readCertificates(readWhole(file, '--ca')));
  return { policy: { roots, pins: pins.map(bareThumbprint) }, ask: () => Promise.resolve('refuse') };
}

/** A thumbprint alone tells neither issuer nor age. */
function bareThumbprint(sha256: string): Pin {
  return { sha256, issuer: '', sinceMs: 0 };
}

/**
 * Opens the certificate to log on with. The password comes from FAIRLEAD_CERT_PASSWORD, or is asked for when the file
 * turns out to need one.
 */
export async function openCertificate(files: readonly string[], terminal: Terminal): Promise<ClientCertificate> {
  const contents = files.map((file) => readWhole(file, '--cert'));
  const given = terminal.environment['FAIRLEAD_CERT_PASSWORD'] ?? null;
  try {
    return openClientCertificate(contents, given);
  } catch (error) {
    const isMissing = isWinRmError(error, 'tls.client-certificate-password') && error.details.problem === 'missing';
    if (!isMissing || given !== null) throw error;
    const answer = await terminal.askSecret(`Password of ${files[0] ?? 'the certificate'}: `);
    if (answer === null) throw error;
    return openClientCertificate(contents, answer);
  }
}

function readWhole(file: string, option: string): Uint8Array {
  return new Uint8Array(readNamedFile(file, option));
}
