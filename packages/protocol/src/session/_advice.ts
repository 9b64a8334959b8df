import type { Advice } from '../advice.ts';
import { isWinRmError, type WinRmError } from '../errors.ts';
import type { LegReport } from '../http/converse.ts';
import type { Journal } from '../journal.ts';
import type { OpenedRoad } from '../opened-road.ts';
import { printAuthority } from '../road/authority.ts';
import type { TrafficCounts } from '../wsman/lane.ts';

/** A connection that was lost is opened anew without a word so often; it happens to everybody. */
const FREE_REOPENINGS = 3;

/** One sign-in for so many requests is as it should be; more often, and the road is at fault. The seed's rule R25 */
const REQUESTS_PER_SIGN_IN = 20;

/** Collects what a person should know about a road that works, each piece of advice once. */
export class AdviceBook {
  readonly #journal: Journal;
  readonly #counts: Readonly<TrafficCounts>;
  readonly #given = new Map<Advice['code'], Advice>();
  #reopenings = 0;

  constructor(journal: Journal, counts: Readonly<TrafficCounts>) {
    this.#journal = journal;
    this.#counts = counts;
  }

  /** What was advised so far, in order. */
  get list(): readonly Advice[] {
    return [...this.#given.values()];
  }

  /** Adds it to the list and to the journal, unless there is one of its kind. */
  give(advice: Advice): void {
    if (this.#given.has(advice.code)) return;
    this.#given.set(advice.code, advice);
    this.#journal.record({ event: 'advice', advice });
  }

  /** What the way in which a road came about says. */
  road({ refusedTunnel }: OpenedRoad): void {
    if (refusedTunnel === undefined) return;
    const { status, text } = refusedTunnel;
    this.give({ code: 'tunnel-refused', proxy: nameOf(refusedTunnel), status, text });
  }

  /**
   * A proxy that reads each request passed a challenge on and does not promise to keep the sign-in together. It may do so
   * all the same. RFC 4559, section 6; the seed's rule R14
   */
  leg({ status, via, isSessionBased }: LegReport, { form }: OpenedRoad, proxy: Place | null): void {
    if (form === 'absolute' && status === 401 && !isSessionBased) {
      this.give({ code: 'no-session-support', proxy: nameOf(proxy), via });
    }
  }

  /**
   * A refusal that came through a tunnel in the clear is most likely about the credential, and nobody can tell: a proxy
   * that looks into tunnels may have put the legs on different connections. The seed's rules R8 and R23
   */
  refused(error: unknown, { form, hasProxy }: OpenedRoad, proxy: Place | null): void {
    const isInTunnel = hasProxy && form === 'origin';
    if (isInTunnel && isWinRmError(error, 'auth.rejected'))
      this.give({ code: 'doubtful-refusal', proxy: nameOf(proxy) });
  }

  /** A proxy moved a connection, and what was asked on it is asked again after another sign-in. */
  moved({ details }: WinRmError<'proxy.no-affinity'>): void {
    this.give({ code: 'moved-connection', proxy: nameOf(details), via: details.via, status: details.status });
  }

  /** A connection is opened anew that was not closed by us for its age. */
  reopened(): void {
    this.#reopenings++;
    const { handshakes, exchanges: requests } = this.#counts;
    if (this.#reopenings > FREE_REOPENINGS && this.#reopenings * REQUESTS_PER_SIGN_IN > requests) {
      this.give({ code: 'many-handshakes', handshakes, requests });
    }
  }
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function nameOf(place: Place | null): string {
  return place === null || place.host === '' ? '' : printAuthority(place);
}
