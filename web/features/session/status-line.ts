import type { AuthPolicy, ProxyRoute, SessionState } from '@fairlead/protocol';
import type { TlsFacts } from './progress.ts';

/** A piece of the status line: a full message key, its values, and how much it matters. */
export interface StatusPart {
  readonly id: string;
  readonly key: string;
  readonly values: Record<string, string | number>;
  readonly tone: 'plain' | 'good' | 'warn' | 'bad';
}

/** What the status line is told from. */
export interface StatusFacts {
  readonly state: SessionState;
  readonly route: ProxyRoute;
  readonly policy: AuthPolicy;
  readonly port: number;
  /** Null without TLS. */
  readonly tls: TlsFacts | null;
  readonly sealsAlways: boolean;
  readonly codePage: number;
  /** HTTP requests carry the session: something on the way lets no WebSocket pass. */
  readonly isFallback: boolean;
  /** Another tab has the session; what is known here stands still. */
  readonly isElsewhere: boolean;
}

/**
 * What is true about the connection, most important first, and nothing that is not: which road, who was proven how, what
 * is sealed, and what anyone on the way can still read.
 */
export function statusParts(facts: StatusFacts): StatusPart[] {
  const { state } = facts;
  if (facts.isElsewhere) return [part('link', 'session.status.elsewhere')];
  const link = linkPart(facts);
  if (state.at === 'lost' || state.at === 'closed' || state.at === 'ended') return [link];
  if (state.at !== 'ready') return [link];
  const { tls } = facts;
  const secrecy =
    tls === null
      ? [
          part('sealed', 'session.status.sealed', {}, 'good'),
          part('readable', 'session.status.readable', { port: facts.port }, 'warn'),
        ]
      : [
          part('sealed', 'session.status.tls', { version: tls.version, trust: tls.trustedBy }, 'good'),
          ...(facts.sealsAlways ? [part('inner', 'session.status.sealedInside', {}, 'good')] : []),
        ];
  return [
    link,
    ...(facts.isFallback ? [part('fallback', 'session.status.fallback', {}, 'warn')] : []),
    part('auth', `session.status.auth.${facts.policy}`),
    ...secrecy,
    part('encoding', 'session.status.encoding', { codePage: String(facts.codePage) }),
  ];
}

function linkPart({ state, route }: StatusFacts): StatusPart {
  switch (state.at) {
    case 'ready':
      if (state.link === 'held') return part('link', 'session.status.held', {}, 'warn');
      if (state.link === 'reopening') return part('link', 'session.status.reopening', {}, 'warn');
      return road(route);
    case 'ended':
      return part('link', 'session.status.ended', { code: state.exit.signed });
    case 'lost':
      return part('link', isClosedByServer(state) ? 'session.status.closedByServer' : 'session.status.lost', {}, 'bad');
    case 'closed':
      return part(
        'link',
        state.error === null ? 'session.status.closed' : 'session.status.failed',
        {},
        state.error === null ? 'plain' : 'bad',
      );
    default:
      return part('link', 'session.status.connecting');
  }
}

/** Whether the server ended the shell: then the connection is the one thing that was not lost. */
export function isClosedByServer(state: SessionState): boolean {
  return state.at === 'lost' && (state.error.code === 'shell.closed' || state.error.code === 'wsman.shell-gone');
}

function road(route: ProxyRoute): StatusPart {
  const last = route.hops.at(-1);
  if (last === undefined) return part('link', 'session.status.direct', {}, 'good');
  const name = `${last.host}:${last.port}`;
  const kind = last.kind === 'http-connect' ? 'connect' : 'forward';
  return part('link', `session.status.via.${kind}`, { name, more: route.hops.length - 1 }, 'good');
}

function part(
  id: string,
  key: string,
  values: StatusPart['values'] = {},
  tone: StatusPart['tone'] = 'plain',
): StatusPart {
  return { id, key, values, tone };
}
