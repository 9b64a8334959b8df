import type { TicketRequest } from '@fairlead/contract';
import {
  type ClientCertificate,
  connectFirst,
  type Hop,
  type ProxyRoute,
  parseCredential,
  proxySignIn,
  type RoadOpener,
  Session,
  type TrustOptions,
} from '@fairlead/protocol';
import { defaultPlatform, type RelayRoad, relayRoad } from '@fairlead/protocol/relay';
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
  const { host, port, scheme } = target;
  const roads: RelayRoad[] = [];
  const openFor = (way: ProxyRoute): RoadOpener => {
    const request = { target: { host, port }, route: wireRoute(way), scheme };
    const road = relayRoad({
      ...wires,
      ...(proxyAccounts.some((account) => account !== null) && {
        answerProxy: proxySignIn({
          ...{ route: request.route, scheme, platform: defaultPlatform },
          credentials: proxyAccounts.map((account) => account && proxyCredential(account)),
          dangerHttpBehindAuthenticatedProxy: order.isHttpDangerChosen,
        }),
      }),
      origin: location.origin,
      ticket: async (_lane, signal) => (await requestTicket(request, signal)).ticket,
    });
    roads.push(road);
    return road;
  };
  const hasProxyCredential = (proxyAccounts[route.hops.length - 1] ?? null) !== null;
  const openRoad =
    order.forwardsIfRefused === true ? connectFirst({ route, scheme, hasProxyCredential, openFor }) : openFor(route);
  const session = new Session({
    target,
    policy,
    credential: policy === 'certificate' ? null : parseCredential(user, password),
    clientCertificate,
    ...(trust === null ? {} : { trust: { policy: trust, ask } }),
    seal: sealsAlways ? 'always' : 'auto',
    allowLegacyTls: allowsLegacyTls,
    openRoad,
    platform: defaultPlatform,
    shell,
    takeUp: order.takeUp,
  });
  const road = {
    now: () => {
      for (const one of roads) one.now();
    },
    links: () => roads.flatMap((one) => one.links()),
  };
  return Object.assign(session, { road });
}

/** A route with nothing in it that the contract does not know. */
function wireRoute({ name, hops }: ProxyRoute): TicketRequest['route'] {
  const wireHop = ({ kind, host, port, tls }: Hop) => ({ kind, host, port, ...(tls === true && { tls }) });
  return { name, hops: hops.map(wireHop) };
}
