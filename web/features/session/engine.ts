import { parseCredential, parseTarget, Session, targetAuthority } from '@fairlead/protocol';
import { defaultPlatform, relayRoad } from '@fairlead/protocol/relay';
import { requestTicket } from '@/lib/relay-api.ts';
import { FirstContacts } from '../trust/first-contacts.ts';
import { browserStorage, LineHistory } from './history.ts';
import type { Attempt, ConnectRequest, SessionEntry } from './live-entry.ts';
import { LiveShell } from './live-shell.ts';
import { TerminalScreen } from './screen/terminal-screen.ts';

/** Makes a session of the protocol for one attempt, over this page's relay. @throws misuse.bad-argument */
export function openSession(request: ConnectRequest): Attempt {
  const { target } = parseTarget(request.target);
  const hops = request.route.hops.map(({ kind, host, port }) => ({ kind, host, port }));
  const ticketRequest = { target: { host: target.host, port: target.port }, route: { name: request.route.name, hops } };
  const contacts = new FirstContacts(target);
  const { policy, certificate } = request;
  const session = new Session({
    target,
    policy,
    credential: policy === 'certificate' ? null : parseCredential(request.user, request.password),
    clientCertificate: certificate,
    trust: contacts.trust,
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
    answer: (answer) => contacts.answer(answer),
  };
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
