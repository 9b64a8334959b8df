import type { ErrorCode, WinRmError } from '@fairlead/protocol';
import type { SessionEntry } from './live-entry.ts';

/** Errors of a road that leads nowhere just now; a first attempt may have taken the wrong one. */
const OUTAGES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'relay.connection-refused',
  'relay.connect-timeout',
  'relay.name-not-found',
  'proxy.target-unreachable',
]);

/**
 * Whether the same road is the one to try again, although the error by itself would have another chosen: it led to a
 * shell before, or it is the demo's, which has no other.
 */
export function isOutage(
  { wasReady, request }: Pick<SessionEntry, 'wasReady' | 'request'>,
  error: WinRmError,
): boolean {
  return (wasReady || request.isDemo) && OUTAGES.has(error.code);
}
