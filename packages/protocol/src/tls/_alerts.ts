import { type ErrorCode, type ErrorDetails, isWinRmError, WinRmError } from '../errors.ts';

/** The alerts of RFC 8446, section 6, and of RFC 5246 and 5746 where TLS 1.2 has more. */
export const ALERTS = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  record_overflow: 22,
  handshake_failure: 40,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  unrecognized_name: 112,
  certificate_required: 116,
  no_application_protocol: 120,
} as const;

/** An alert by its name. */
export type AlertName = keyof typeof ALERTS;

const alerts = new WeakMap<WinRmError, AlertName>();

/** Throws an error of ours and remembers the alert that tells the peer. */
export function failWith<Code extends ErrorCode>(
  alert: AlertName,
  code: Code,
  details: ErrorDetails[Code],
  cause?: unknown,
): never {
  const error = new WinRmError(code, details, cause);
  alerts.set(error, alert);
  throw error;
}

/** The alert an error was thrown with; for errors of other files the one their code stands for. */
export function alertOf(error: unknown): AlertName {
  if (!isWinRmError(error)) return 'internal_error';
  return alerts.get(error) ?? ALERT_OF_CODE.get(error.code) ?? 'internal_error';
}

const ALERT_OF_CODE: ReadonlyMap<ErrorCode, AlertName> = new Map([
  ['tls.bad-certificate', 'bad_certificate'],
  ['tls.weak-certificate', 'bad_certificate'],
  ['tls.wrong-name', 'bad_certificate'],
  ['tls.pin-changed', 'bad_certificate'],
  ['tls.intercepted', 'bad_certificate'],
  ['tls.expired', 'certificate_expired'],
  ['tls.untrusted', 'unknown_ca'],
  ['session.cancelled', 'user_canceled'],
]);

/** An alert's name, for an error or the journal. */
export function alertName(number: number): string {
  return NAMES.get(number) ?? `alert ${number}`;
}

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(ALERTS).map(([name, number]) => [number, name]));
