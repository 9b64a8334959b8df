import { type ClientCertificate, parseCredential, proxySignIn, Session, type TrustOptions } from '@fairlead/protocol';
import { defaultPlatform, relayRoad } from '@fairlead/protocol/relay';
import { requestTicket } from '@/lib/relay-api.ts';
import type { NearSession, RoadWires } from './link-facts.ts';
import type { SessionOrder } from './messages.ts';
import { proxyCredential } from './proxy-credential.ts';

/**
 * Makes a session of the protocol over the relay of this page, here and now: in a worker, or in the page itself.
 * @throws misuse.bad-argument
 */
export async function makeSession(
  order: SessionOrder,
  clientCertificate: ClientCertificate | null,
  ask: TrustOptions['ask'],
  wires: RoadWires = {},
): Promise<NearSession> {
  const { target, route, proxyAccounts, policy, user, password, trust, sealsAlways, allowsLegacyTls, shell } = order;
  const hops = route.hops.map((hop) => ({
    ...{ kind: hop.kind, host: hop.host, port: hop.port },
    ...(hop.tls === true && { tls: true }),
  }));
  const { host, port, scheme } = target;
  const ticketRequest = { target: { host, port }, route: { name: route.name, hops }, scheme };
  const road = relayRoad({
    ...wires,
    ...(proxyAccounts.some((account) => account !== null) && {
      answerProxy: proxySignIn({
        ...{ route: ticketRequest.route, scheme, platform: defaultPlatform },
        credentials: proxyAccounts.map((account) => account && proxyCredential(account)),
        dangerHttpBehindAuthenticatedProxy: order.isHttpDangerChosen,
      }),
    }),
    origin: location.origin,
    ticket: async (_lane, signal) => (await requestTicket(ticketRequest, signal)).ticket,
  });
  const session = new Session({
    target,
    policy,
    credential: policy === 'certificate' ? null : parseCredential(user, password),
    clientCertificate,
    ...(trust === null ? {} : { trust: { policy: trust, ask } }),
    seal: sealsAlways ? 'always' : 'auto',
    allowLegacyTls: allowsLegacyTls,
    openRoad: road,
    platform: defaultPlatform,
    shell,
    takeUp: order.takeUp,
  });
  return Object.assign(session, { road });
}
