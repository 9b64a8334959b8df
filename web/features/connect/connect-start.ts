import type { Hop } from '@fairlead/protocol';
import type { Saved, SavedProxyUser, SavedRoute } from '../../lib/saved.ts';
import { findCertificate, findPassword } from '../../lib/vault.ts';
import type { ConnectRequest } from '../session/session-registry.ts';
import { passwordKey, proxyPasswordKey } from '../session/session-registry.ts';
import { type ConnectForm, EMPTY_FORM, formOf } from './connect-form.ts';
import { savedUsers } from './road-form.ts';

/** How the connect dialog begins. */
export interface ConnectStart {
  /** The saved target it may change, or one to be. */
  readonly targetId: string;
  readonly form: ConnectForm;
  /** The road of a request that was never saved, or is no more: to choose from like those that are. */
  readonly looseRoute: SavedRoute | null;
}

type KeptRequest = Omit<ConnectRequest, 'password' | 'certificate' | 'proxyPasswords'>;

/** Begins empty, or with a saved target, or with what a session was asked for. */
export function connectStart(targetId: string | null, request: KeptRequest | null, saved: Saved): ConnectStart {
  if (request !== null) return startAgain(request, saved);
  const target = saved.targets.find(({ id }) => id === targetId);
  const id = targetId ?? crypto.randomUUID();
  if (target === undefined) return { targetId: id, form: EMPTY_FORM, looseRoute: null };
  return { targetId: id, form: formOf(target, remembered(target)), looseRoute: null };
}

function startAgain(request: KeptRequest, saved: Saved): ConnectStart {
  const { label, target, user, policy, shell, route, sealsAlways, allowsLegacyTls, isProduction } = request;
  const isSame = (one: SavedRoute) =>
    one.name === route.name && (one.settings !== null || isSameRoad(one.hops, route.hops));
  const known = route.hops.length === 0 ? undefined : saved.routes.find(isSame);
  const loose: SavedRoute | null =
    known !== undefined || route.hops.length === 0
      ? null
      : {
          id: crypto.randomUUID(),
          name: route.name || route.hops.map(({ host }) => host).join(', '),
          ...{ hops: route.hops, settings: null, forwardsIfRefused: request.forwardsIfRefused === true },
        };
  const name = label === target ? '' : label;
  const before = saved.targets.find((one) => one.target === target && one.user === user && one.name === name);
  const id = before?.id ?? crypto.randomUUID();
  const form = formOf(
    {
      ...{ id, name, target, user, policy, sealsAlways, allowsLegacyTls, isProduction, usedAt: 0 },
      shell: shell.kind,
      command: shell.command ?? '',
      codePage: shell.codePage,
      workingDirectory: shell.workingDirectory ?? '',
      noProfile: shell.noProfile === true,
      routeId: (known ?? loose)?.id ?? null,
      proxyUsers: savedUsers(route, request.proxies),
    },
    remembered(request),
  );
  return { targetId: id, form: { ...form, isHttpDangerChosen: request.isHttpDangerChosen }, looseRoute: loose };
}

function isSameRoad(one: readonly Hop[], other: readonly Hop[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ kind, host, port, tls = false }, i) => {
      const hop = other[i];
      return hop?.kind === kind && hop.host === host && hop.port === port && (hop.tls ?? false) === tls;
    })
  );
}

/** The secrets this tab still knows. */
function remembered(of: { readonly user: string; readonly target: string }) {
  const key = passwordKey(of);
  return {
    password: findPassword(key),
    certificate: findCertificate(key),
    proxyPassword: ({ proxy, user }: SavedProxyUser) => {
      const [host, port] = [proxy.slice(0, proxy.lastIndexOf(':')), Number(proxy.slice(proxy.lastIndexOf(':') + 1))];
      const hop: Hop = { kind: 'http-connect', host: host.replace(/^\[|\]$/g, ''), port };
      const proxyKey = proxyPasswordKey({ route: { name: '', hops: [hop] }, proxies: [{ user }] }, 0);
      return proxyKey && findPassword(proxyKey);
    },
  };
}
