import {
  HIDING_PROXY_MECHANISMS,
  type ProxyCredential,
  type ProxyMechanism,
  parseCredential,
} from '@fairlead/protocol';
import type { ProxyAccount, ProxyMeans } from './messages.ts';

const MECHANISMS: Readonly<Record<ProxyMeans, readonly ProxyMechanism[]>> = {
  best: HIDING_PROXY_MECHANISMS,
  windows: ['Negotiate', 'NTLM'],
  digest: ['Digest'],
  basic: ['Basic'],
};

/** What a proxy may be given: the password itself only where the person agreed to that. */
export function proxyCredential({ user, password, means }: ProxyAccount): ProxyCredential {
  return { credential: parseCredential(user, password), mechanisms: MECHANISMS[means] };
}
