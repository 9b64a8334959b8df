import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TicketRequest } from '@fairlead/contract';
import { RateLimit } from './rate-limit.ts';

/** A ticket lives this long: a tab uses it at once. */
export const TICKET_MS = 30_000;

/** Proofs waited for at a time; a start script makes one code after another, and the oldest falls out. */
const MAX_PROOFS = 16;

/** Tickets one person may hold unused. */
const MAX_TICKETS = 256;

/** A random token: 32 bytes in base64url. */
export function makeToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a token: its SHA-256. A token has 256 random bits, so a slow hash would add nothing. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * Sign-in by one-time code. The relay is told the hash of a proof; whoever sends the proof is in, once. Only wrong
 * attempts are limited: a code has 60 random bits and serves once, and behind a reverse proxy everybody has one address,
 * so a limit on right ones would let a stranger lock the owner out.
 */
export class CodeDesk {
  readonly #expected: Buffer[] = [];
  readonly #byAddress = new RateLimit(10);
  readonly #inTotal = new RateLimit(60);

  /** @param proofHash lower-case hex SHA-256 of a proof's text */
  expect(proofHash: string): void {
    this.#expected.push(Buffer.from(proofHash, 'hex'));
    if (this.#expected.length > MAX_PROOFS) this.#expected.shift();
  }

  /** Takes a proof; an accepted one is used up. Every expected hash is compared, in constant time. */
  redeem(proof: string, address: string, nowMs: number): 'accepted' | 'refused' | 'limited' {
    const hash = createHash('sha256').update(proof).digest();
    let found = -1;
    for (const [index, expected] of this.#expected.entries()) {
      if (expected.length === hash.length && timingSafeEqual(expected, hash)) found = index;
    }
    if (found < 0) {
      return this.#byAddress.take(address, nowMs) && this.#inTotal.take('', nowMs) ? 'refused' : 'limited';
    }
    this.#expected.splice(found, 1);
    return 'accepted';
  }

  /** Wrong attempts an address has in a minute. */
  get perMinute(): number {
    return this.#byAddress.perMinute;
  }
}

interface Ticket {
  readonly person: string;
  readonly request: TicketRequest;
  readonly expiresAtMs: number;
  isUsed: boolean;
}

/** Tickets for one dial each, bound to a person, a target and a road. Kept by hash, until they expire. */
export class TicketDesk {
  readonly #tickets = new Map<string, Ticket>();

  /** A ticket, or null when the person holds too many. */
  give(person: string, request: TicketRequest, nowMs: number): string | null {
    this.#forgetExpired(nowMs);
    let held = 0;
    for (const ticket of this.#tickets.values()) if (ticket.person === person && !ticket.isUsed) held += 1;
    if (held >= MAX_TICKETS) return null;
    const token = makeToken();
    this.#tickets.set(hashToken(token), { person, request, expiresAtMs: nowMs + TICKET_MS, isUsed: false });
    return token;
  }

  /** What the ticket is for, once; or why not. Another person's ticket is unknown, and is void from then on. */
  redeem(token: string, person: string, nowMs: number): TicketRequest | 'expired' | 'used' | 'unknown' {
    const hash = hashToken(token);
    const ticket = this.#tickets.get(hash);
    if (ticket === undefined) return 'unknown';
    const wasUsed = ticket.isUsed;
    ticket.isUsed = true;
    if (ticket.person !== person) return 'unknown';
    if (wasUsed) return 'used';
    return nowMs >= ticket.expiresAtMs ? 'expired' : ticket.request;
  }

  /** Most tickets one person may hold. */
  get limit(): number {
    return MAX_TICKETS;
  }

  /** Kept for another life span after they expire, so that a late one is told why. Insertion order is time order. */
  #forgetExpired(nowMs: number): void {
    for (const [hash, ticket] of this.#tickets) {
      if (ticket.expiresAtMs + TICKET_MS > nowMs) return;
      this.#tickets.delete(hash);
    }
  }
}
