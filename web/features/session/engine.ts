import { type ClientCertificate, parseTarget, type Target, targetAuthority } from '@fairlead/protocol';
import type { FirstContacts } from '../trust/first-contacts.ts';
import { browserStorage, LineHistory } from './history.ts';
import type { Attempt, ConnectRequest, SessionEntry } from './live-entry.ts';
import { LiveShell, type ShellSession } from './live-shell.ts';
import { TerminalScreen } from './screen/terminal-screen.ts';
import { makeFarSession } from './worker/far-session.ts';
import type { SessionOrder } from './worker/messages.ts';
import { startWorker } from './worker/start-worker.ts';

/** Makes a session of the protocol for one attempt, over this page's relay. @throws misuse.bad-argument */
export async function openSession(request: ConnectRequest): Promise<Attempt> {
  const { target } = parseTarget(request.target);
  const contacts = target.scheme === 'https' ? await meet(target) : null;
  const { policy, user, password, sealsAlways, allowsLegacyTls, route, isHttpDangerChosen, shell } = request;
  const trust = contacts?.trust.policy ?? null;
  const order: SessionOrder = {
    ...{ target, policy, user, password, sealsAlways, allowsLegacyTls, trust, route, isHttpDangerChosen, shell },
    proxyAccounts: route.hops.map((_hop, i) => {
      const [proxy = null, proxyPassword = ''] = [request.proxies[i], request.proxyPasswords[i]];
      return proxy && proxyPassword !== '' ? { ...proxy, password: proxyPassword } : null;
    }),
  };
  return {
    session: await makeSomewhere(order, request.certificate, contacts),
    address: targetAuthority(target),
    port: target.port,
    answer: (answer) => contacts?.answer(answer),
  };
}

/** In a worker, so that this thread is left to keys and frames; here where there is none to be had. */
async function makeSomewhere(
  order: SessionOrder,
  certificate: ClientCertificate | null,
  contacts: FirstContacts | null,
): Promise<ShellSession> {
  const ask = contacts?.trust.ask ?? null;
  const line = await startWorker();
  if (line !== null) return await makeFarSession(line, order, certificate, ask);
  const { makeSession } = await import('./worker/make-session.ts');
  return await makeSession(order, certificate, ask ?? (async () => 'refuse'));
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
