import { isWinRmError, WinRmError } from '../errors.ts';
import type { OpenedRoad, RoadOpener } from '../opened-road.ts';
import type { Hop, ProxyRoute } from '../road/route.ts';

/** What a choice between the two forms of a road is made with. */
export interface RoadChoiceOptions {
  /** Its last proxy is of the kind `http-connect`. */
  readonly route: ProxyRoute;
  readonly scheme: 'http' | 'https';
  /** Whether somebody has a credential for the last proxy. */
  readonly hasProxyCredential: boolean;
  /** Opens a route as it is written, under whatever policy applies to it. */
  readonly openFor: (route: ProxyRoute) => RoadOpener;
}

/**
 * By these a proxy refuses the method or the port, and may yet forward requests: RFC 9110, sections 15.5.1, 15.5.4,
 * 15.5.6 and 15.6.2. What it could not reach in a tunnel it cannot reach otherwise.
 */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 405, 501]);

/**
 * Asks the last proxy for a tunnel, and where it refuses that, hands it the requests in absolute form instead: a tunnel
 * keeps connections together, and not every proxy that forwards does. The seed's rule R4.
 *
 * Never in absolute form: to an https target, behind a proxy that wants credentials or for which there are any (the
 * seed's rule R5), and where the relay's policy said no. What is sent is sealed either way. A road that came about so
 * carries `refusedTunnel`; the form that was found is kept for the roads that follow.
 */
export function connectFirst(options: RoadChoiceOptions): RoadOpener {
  const { route, openFor } = options;
  const tunnel = openFor(route);
  const forwarding = options.scheme === 'http' && !options.hasProxyCredential ? forwardingRoute(route) : null;
  if (forwarding === null) return tunnel;
  const forward = openFor(forwarding);
  let refused: NonNullable<OpenedRoad['refusedTunnel']> | null = null;
  const open: RoadOpener = async (...words) => {
    if (refused === null) {
      try {
        return await tunnel(...words);
      } catch (error) {
        if (!isWinRmError(error, 'proxy.connect-denied') || !isRefusalOfLast(error, route)) throw error;
        const { host, port, status, text } = error.details;
        const road = await forward(...words).catch((second: unknown) => {
          // Policy allows the tunnel only, so what the proxy said about that is what the person has to know.
          throw isWinRmError(second, 'relay.policy-denied') ? withCause(error, second) : second;
        });
        refused = { host, port, status, text };
        return { ...road, refusedTunnel: refused };
      }
    }
    return { ...(await forward(...words)), refusedTunnel: refused };
  };
  return Object.assign(open, { answered: () => (tunnel.answered?.() ?? 0) + (forward.answered?.() ?? 0) });
}

/** The route with its last proxy forwarding; null where that is no proxy of HTTP. */
function forwardingRoute(route: ProxyRoute): ProxyRoute | null {
  const last = route.hops.at(-1);
  if (last?.kind !== 'http-connect') return null;
  const hop: Hop = { ...last, kind: 'http-forward' };
  return { ...route, hops: [...route.hops.slice(0, -1), hop] };
}

/** A proxy before the last was asked for the way to the next one, which is no matter of form. */
function isRefusalOfLast({ details }: WinRmError<'proxy.connect-denied'>, { hops }: ProxyRoute): boolean {
  return details.hop === hops.length && REFUSALS.has(details.status);
}

function withCause(error: WinRmError<'proxy.connect-denied'>, cause: unknown): WinRmError {
  return new WinRmError('proxy.connect-denied', error.details, cause);
}
