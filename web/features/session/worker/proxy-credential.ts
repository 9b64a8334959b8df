import {
  ALL_PROXY_MECHANISMS,
  HIDING_PROXY_MECHANISMS,
  type ProxyCredential,
  parseCredential,
} from '@fairlead/protocol';
import type { ProxyAccount } from './messages.ts';

/** What the first proxy may be given: the password itself only where the person agreed to that. */
export function proxyCredential({ user, password, allowsBasic }: ProxyAccount): ProxyCredential {
  return {
    credential: parseCredential(user, password),
    mechanisms: allowsBasic ? ALL_PROXY_MECHANISMS : HIDING_PROXY_MECHANISMS,
  };
}
