import { RIG_ACCOUNT } from './peers/peers.ts';
import type { Destination } from './person.ts';
import { HOST_ACCOUNT, type Stack } from './stack.ts';

/** Who signs in at the testbed's host, as it is typed. */
export const HOST_USER = `${HOST_ACCOUNT.domain}\\${HOST_ACCOUNT.user}`;

/** The testbed's host behind a real Squid, with a wire tap before each of the two. */
export function hostBehindSquid(stack: Stack, more: Partial<Destination> = {}): Destination {
  return {
    server: `127.0.0.1:${stack.hostTap.port}`,
    user: HOST_USER,
    password: HOST_ACCOUNT.password,
    proxy: { port: stack.squidTap.port, kind: 'http-connect' },
    ...more,
  };
}

/** The same host over HTTPS, behind the same Squid. */
export function secureHostBehindSquid(stack: Stack, more: Partial<Destination> = {}): Destination {
  return hostBehindSquid(stack, { server: `https://127.0.0.1:${stack.secureTap.port}`, ...more });
}

/** The server on GSS-API behind the same Squid. */
export function gssBehindSquid(stack: Stack, more: Partial<Destination> = {}): Destination {
  return {
    server: `127.0.0.1:${stack.gssTap.port}`,
    user: RIG_ACCOUNT.user,
    password: RIG_ACCOUNT.password,
    proxy: { port: stack.squidTap.port, kind: 'http-connect' },
    ...more,
  };
}
