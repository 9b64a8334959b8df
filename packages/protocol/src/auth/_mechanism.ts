import { fail } from '../errors.ts';
import type { AuthMechanism, AuthReply, AuthStep, Exchange, SecurityContext } from '../security.ts';

/** A leg for the peer. */
type AuthLeg = Extract<AuthStep, { to: 'peer' }>;

/** A mechanism written as a generator: yields legs, resumes with replies, returns the context it earned. */
export type AuthExchange = Exchange<AuthLeg, AuthReply, SecurityContext>;

/** Makes the mechanism that `converse` drives out of an exchange that has not begun. */
export function mechanismOf(scheme: AuthMechanism['scheme'], exchange: AuthExchange): AuthMechanism {
  return new ExchangeMechanism(scheme, exchange);
}

class ExchangeMechanism implements AuthMechanism {
  readonly scheme: AuthMechanism['scheme'];
  readonly #exchange: AuthExchange;
  #stage = 'start';
  #state: 'fresh' | 'waiting' | 'over' = 'fresh';
  #keyed: SecurityContext | null = null;

  constructor(scheme: AuthMechanism['scheme'], exchange: AuthExchange) {
    this.scheme = scheme;
    this.#exchange = exchange;
  }

  get stage(): string {
    return this.#stage;
  }

  step(reply: AuthReply | null): AuthStep {
    const isExpected = reply === null ? this.#state === 'fresh' : this.#state === 'waiting';
    if (!isExpected) fail('misuse.wrong-state', { action: 'step', state: this.#state });
    this.#state = 'over'; // unless the exchange goes on: an error leaves the mechanism dead
    try {
      const next = reply === null ? this.#exchange.next() : this.#exchange.next(reply);
      if (next.done === true) return { to: 'nobody', context: next.value };
      this.#stage = next.value.stage;
      this.#keyed = next.value.keyed;
      this.#state = 'waiting';
      return next.value;
    } catch (error) {
      this.#keyed?.destroy();
      throw error;
    }
  }
}
