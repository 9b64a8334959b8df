import type { WinRmError } from '@fairlead/protocol';

/** An error that says: this is not the certificate that was trusted. */
export type CertificateChange = WinRmError<'tls.pin-changed'> | WinRmError<'tls.intercepted'>;

/** Whether an error is the one that must stop everything. */
export function isCertificateChange(error: WinRmError | null): error is CertificateChange {
  return error?.code === 'tls.pin-changed' || error?.code === 'tls.intercepted';
}
