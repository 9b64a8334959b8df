import { type ClientCertificate, parseTarget, type Target, targetAuthority } from '@fairlead/protocol';
import type { FirstContacts } from '../trust/first-contacts.ts';
import { browserStorage, LineHistory } from './history.ts';
import { LiveShell } from './live-shell.ts';
import { TerminalScreen } from './screen/terminal-screen.ts';
import type { Attempt, AttemptOptions, ConnectRequest, FoundAttempt, SessionEntry } from './session-entry.ts';
import type { ShellSession } from './shell-session.ts';
import { makeFarSession, takeFarSession } from './worker/make-far-session.ts';
import type { SessionMemo, SessionOrder } from './worker/messages.ts';
import { findWorker, releaseWorker, startWorker } from './worker/start-worker.ts';

/** Makes a session of the protocol for one attempt, over this page's relay. @throws misuse.bad-argument */
export async function openSession(request: ConnectRequest, { takeUp, memo }: AttemptOptions): Promise<Attempt> {
  const { target } = parseTarget(request.target);
  const contacts = target.scheme === 'https' ? await meet(target) : null;
  const { policy, user, password, sealsAlways, allowsLegacyTls, route, isHttpDangerChosen, shell } = request;
  const trust = contacts?.trust.policy ?? null;
  const order: SessionOrder = {
    ...{ target, policy, user, password, sealsAlways, allowsLegacyTls, trust, route, isHttpDangerChosen, shell },
    forwardsIfRefused: request.forwardsIfRefused === true,
    takeUp,
    proxyAccounts: route.hops.map((_hop, i) => {
      const [proxy = null, proxyPassword = ''] = [request.proxies[i], request.proxyPasswords[i]];
      return proxy && proxyPassword !== '' ? { ...proxy, password: proxyPassword } : null;
    }),
  };
  return {
    ...(await makeSomewhere(order, request.certificate, contacts, memo)),
    address: targetAuthority(target),
    port: target.port,
    answer: (answer) => contacts?.answer(answer),
  };
}

/** Takes over the session of a worker that an earlier page started; null when it has gone. */
export async function findSession(name: string): Promise<FoundAttempt | null> {
  const started = await findWorker(name);
  let contacts: FirstContacts | null = null;
  const taken =
    started?.hasSession === true
      ? await takeFarSession(started.line, async ({ memo }) => {
          const { target } = parseTarget(memo.request.target);
          contacts = target.scheme === 'https' ? await meet(target) : null;
          return contacts?.trust.ask ?? null;
        })
      : null;
  if (taken === null) {
    started?.line.cut();
    releaseWorker(name);
    return null;
  }
  const { target } = parseTarget(taken.memo.request.target);
  return {
    ...taken,
    worker: name,
    address: targetAuthority(target),
    port: target.port,
    answer: (answer) => contacts?.answer(answer),
  };
}

/**
 * In a worker, so that this thread is left to keys and frames: one that outlives this page where there is such a thing,
 * else one of its own; here where there is none to be had.
 */
async function makeSomewhere(
  order: SessionOrder,
  certificate: ClientCertificate | null,
  contacts: FirstContacts | null,
  memo: SessionMemo,
): Promise<{ readonly session: ShellSession; readonly worker: string | null }> {
  const ask = contacts?.trust.ask ?? null;
  const name = `fairlead ${randomWord()}`;
  const lasting = await findWorker(name);
  const started = lasting ?? (await startWorker());
  if (started !== null) {
    const session = await makeFarSession(started.line, order, certificate, ask, lasting && memo);
    return { session, worker: lasting && name };
  }
  const { makeSession } = await import('./worker/make-session.ts');
  return { session: await makeSession(order, certificate, ask ?? (async () => 'refuse')), worker: null };
}

/** Nobody guesses it; whoever is on this origin and knows it may have the session. */
function randomWord(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
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
