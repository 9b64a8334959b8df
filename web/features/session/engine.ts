import { parseCredential, parseTarget, Session, type Target, targetAuthority } from '@fairlead/protocol';
import { defaultPlatform, relayRoad } from '@fairlead/protocol/relay';
import { requestTicket } from '@/lib/relay-api.ts';
import type { FirstContacts } from '../trust/first-contacts.ts';
import { browserStorage, LineHistory } from './history.ts';
import type { Attempt, ConnectRequest, SessionEntry } from './live-entry.ts';
import { LiveShell } from './live-shell.ts';
import { TerminalScreen } from './screen/terminal-screen.ts';

/** Makes a session of the protocol for one attempt, over this page's relay. @throws misuse.bad-argument */
export async function openSession(request: ConnectRequest): Promise<Attempt> {
  const { target } = parseTarget(request.target);
  const hops = request.route.hops.map((hop) => ({
    ...{ kind: hop.kind, host: hop.host, port: hop.port },
    ...(hop.tls === true && { tls: true }),
  }));
  const { host, port, scheme } = target;
  const ticketRequest = { target: { host, port }, route: { name: request.route.name, hops }, scheme };
  const contacts = scheme === 'https' ? await meet(target) : null;
  const { policy, certificate } = request;
  const session = new Session({
    target,
    policy,
    credential: policy === 'certificate' ? null : parseCredential(request.user, request.password),
    clientCertificate: certificate,
    ...(contacts === null ? {} : { trust: contacts.trust }),
    seal: request.sealsAlways ? 'always' : 'auto',
    allowLegacyTls: request.allowsLegacyTls,
    openRoad: relayRoad({
      origin: location.origin,
      ticket: async (_lane, signal) => (await requestTicket(ticketRequest, signal)).ticket,
    }),
    platform: defaultPlatform,
    shell: request.shell,
  });
  return {
    session,
    address: targetAuthority(target),
    port: target.port,
    answer: (answer) => contacts?.answer(answer),
  };
}

/** Certificates and pins are read by code that no http session fetches. */
async function meet(target: Target): Promise<FirstContacts> {
  const contacts = await import('../trust/first-contacts.ts');
  return new contacts.FirstContacts(target);
}

/** Makes what holds a tab's output and input. */
export function loadShell({ request, address }: SessionEntry): LiveShell {
  return new LiveShell({
    screen: new TerminalScreen(),
    history: new LineHistory(browserStorage(), address),
    clock: () => performance.now(),
    kind: request.shell.kind,
    command: request.shell.command ?? '',
    language: navigator.language,
  });
}
