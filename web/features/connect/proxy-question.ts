import { isWinRmError, type WinRmError } from '@fairlead/protocol';

/** What a proxy asked for when a road failed at its sign-in: the schemes, as it named them; null for other failures. */
export function proxyQuestion(error: WinRmError | null): string | null {
  if (isWinRmError(error, 'proxy.auth-required')) return error.details.offered;
  if (isWinRmError(error, 'proxy.auth-unsupported')) return error.details.offered;
  return isWinRmError(error, 'proxy.auth-rejected') ? error.details.mechanism : null;
}
