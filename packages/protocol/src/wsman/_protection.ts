import { fail } from '../errors.ts';
import type { LaneConnectionOptions } from './lane.ts';

/**
 * Two facts must agree before anything leaves unsealed or a password goes as it is: the road ends in TLS, and an https
 * URL was asked for.
 * @throws misuse.wrong-state
 */
export function requireProtection({ sealing, signIn, isSecured, place }: LaneConnectionOptions): void {
  const isProtected = isSecured && place.url.startsWith('https://');
  const needsIt = sealing === 'optional' || 'token' in signIn;
  if (needsIt && !isProtected)
    fail('misuse.wrong-state', { action: 'open a lane that TLS must protect', state: 'no TLS' });
  if (sealing === 'always' && 'token' in signIn) fail('misuse.wrong-state', { action: 'seal', state: 'without keys' });
}
