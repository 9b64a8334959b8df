import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { HttpConnection } from '../../../protocol/src/http/connection.ts';
import type { HttpRequest } from '../../../protocol/src/http/request.ts';
import type { HttpResponse } from '../../../protocol/src/http/response.ts';
import type { AllowedTarget } from '../connect-proxy.ts';
import type { PairingKind } from './_ways.ts';
import type { CrookedJournal } from './crooked-journal.ts';

/** Squid's read_timeout. */
const REPLY_WITHIN_MS = 900_000;

/** One connection to a target that carries requests, one after the other. */
export class Upstream {
  readonly number: number;
  readonly target: string;
  readonly #connection: HttpConnection;
  readonly #onGone: () => void;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(number: number, target: string, connection: HttpConnection, onGone: () => void) {
    this.number = number;
    this.target = target;
    this.#connection = connection;
    this.#onGone = onGone;
  }

  /** Whether another request may be put on it. */
  get isOpen(): boolean {
    return this.#connection.state !== 'closed';
  }

  /** @throws http.*, session.cancelled */
  async exchange(request: HttpRequest): Promise<HttpResponse> {
    const mine = this.#turn
      .catch(() => undefined)
      .then(() => this.#connection.exchange(request, { replyWithinMs: REPLY_WITHIN_MS, platform: defaultPlatform }));
    this.#turn = mine;
    try {
      return await mine;
    } finally {
      if (!this.isOpen) this.#onGone();
    }
  }

  close(): void {
    if (!this.isOpen) return;
    this.#connection.close();
    this.#onGone();
  }
}

/** Decides which upstream connection carries a request. */
export interface Pairing {
  /** @throws the dialer's errors */
  take(client: number, target: AllowedTarget): Promise<Upstream>;
  /** The request was answered, or failed. */
  giveBack(client: number, upstream: Upstream): void;
  /** Closes what only that client would use. */
  clientLeft(client: number): void;
  closeAll(): void;
}

/** @param calmTurns how many requests of a client go right before 'turning' begins */
export function createPairing(kind: PairingKind, journal: CrookedJournal, calmTurns: () => number): Pairing {
  const stock = new Stock(journal);
  if (kind === 'pooled') return new Pooled(stock);
  if (kind === 'one-for-all') return new OneForAll(stock);
  return new PerClient(stock, kind === 'turning' ? calmTurns : () => Infinity);
}

/** Everything that is open. Numbers are shared with the tunnels' upstream ends: each is one TCP connection. */
class Stock {
  readonly journal: CrookedJournal;
  readonly #open = new Set<Upstream>();

  constructor(journal: CrookedJournal) {
    this.journal = journal;
  }

  async dial({ host, port }: AllowedTarget): Promise<Upstream> {
    const stream = await nodeDialer({ host, port });
    const target = `${host}:${port}`;
    const number = this.journal.openUpstream(target);
    const upstream = new Upstream(number, target, new HttpConnection(stream), () => {
      if (this.#open.delete(upstream))
        this.journal.record({ event: 'upstream', upstream: number, what: 'closed', target });
    });
    this.#open.add(upstream);
    return upstream;
  }

  closeAll(): void {
    for (const upstream of [...this.#open]) upstream.close();
  }
}

/** Each client has its own connections: one, or after some calm turns two in turn. */
class PerClient implements Pairing {
  readonly #stock: Stock;
  readonly #calmTurns: () => number;
  readonly #clients = new Map<number, { turns: number; ring: (Upstream | undefined)[] }>();

  constructor(stock: Stock, calmTurns: () => number) {
    this.#stock = stock;
    this.#calmTurns = calmTurns;
  }

  async take(client: number, target: AllowedTarget): Promise<Upstream> {
    const mine = this.#clients.get(client) ?? { turns: 0, ring: [] };
    this.#clients.set(client, mine);
    mine.turns += 1;
    const calmTurns = this.#calmTurns();
    const at = mine.turns <= calmTurns ? 0 : (mine.turns - calmTurns) % 2;
    const known = mine.ring[at];
    if (known?.isOpen && known.target === `${target.host}:${target.port}`) return known;
    known?.close();
    const upstream = await this.#stock.dial(target);
    mine.ring[at] = upstream;
    return upstream;
  }

  giveBack(): void {}

  clientLeft(client: number): void {
    for (const upstream of this.#clients.get(client)?.ring ?? []) upstream?.close();
    this.#clients.delete(client);
  }

  closeAll(): void {
    this.#stock.closeAll();
  }
}

/** One connection per target for everybody. */
class OneForAll implements Pairing {
  readonly #stock: Stock;
  readonly #shared = new Map<string, Promise<Upstream>>();

  constructor(stock: Stock) {
    this.#stock = stock;
  }

  async take(client: number, target: AllowedTarget): Promise<Upstream> {
    const key = `${target.host}:${target.port}`;
    const known = this.#shared.get(key);
    const upstream = await known?.catch(() => undefined);
    if (upstream?.isOpen) return upstream;
    // Somebody who waited for the same may have dialled meanwhile.
    if (known !== undefined && this.#shared.get(key) !== known) return await this.take(client, target);
    const dialing = this.#stock.dial(target);
    this.#shared.set(key, dialing);
    return await dialing;
  }

  giveBack(): void {}

  clientLeft(): void {}

  closeAll(): void {
    this.#stock.closeAll();
  }
}

/** Free connections per target, the last used on top, whoever used it. */
class Pooled implements Pairing {
  readonly #stock: Stock;
  readonly #free: Upstream[] = [];
  readonly #busy = new Map<number, Upstream>();

  constructor(stock: Stock) {
    this.#stock = stock;
  }

  async take(client: number, target: AllowedTarget): Promise<Upstream> {
    const at = this.#free.findLastIndex((one) => one.isOpen && one.target === `${target.host}:${target.port}`);
    const upstream = at < 0 ? await this.#stock.dial(target) : (this.#free.splice(at, 1)[0] as Upstream);
    this.#busy.set(client, upstream);
    return upstream;
  }

  giveBack(client: number, upstream: Upstream): void {
    this.#busy.delete(client);
    if (upstream.isOpen) this.#free.push(upstream);
  }

  /** A request whose client has gone is broken off; a free connection stays for the next. */
  clientLeft(client: number): void {
    this.#busy.get(client)?.close();
    this.#busy.delete(client);
  }

  closeAll(): void {
    this.#stock.closeAll();
  }
}
