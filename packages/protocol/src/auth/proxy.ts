import type { Platform } from '../platform.ts';
import type { AuthMechanism } from '../security.ts';
import { mechanismOf } from './_mechanism.ts';
import type { Credential } from './credential.ts';
import { ntlmExchange } from './ntlm/ntlm.ts';
import { spnegoExchange } from './spnego/spnego.ts';

/** What signing in to a proxy needs. */
export interface ProxyMechanismOptions {
  readonly scheme: 'Negotiate' | 'NTLM';
  readonly credential: Credential;
  /** The proxy's name; its service is HTTP. */
  readonly host: string;
  /** The name the proxy's log shows for our machine. */
  readonly workstation: string;
  readonly platform: Platform;
}

/**
 * The mechanism of one conversation with a proxy. Nothing is sealed for a proxy, so its keys are not asked to be strong;
 * and it is bound to no channel, because proxies check none. [MS-NLMP] 3.1.5.1; RFC 4559, section 4
 */
export function createProxyMechanism(options: ProxyMechanismOptions): AuthMechanism {
  const { scheme, credential, host, workstation, platform } = options;
  const setting = { credential, workstation, platform, spn: `HTTP/${host}`, binding: null, isWithoutMessages: true };
  return mechanismOf(scheme, scheme === 'NTLM' ? ntlmExchange(setting) : spnegoExchange(setting));
}
