/** What a host can be told to do wrong once, so that a client's answer to it can be tested. */
export type Misbehaviour =
  /** Answers with the envelope in the clear. */
  | 'plain-reply'
  /** Changes one bit of what it sealed. */
  | 'bad-signature'
  /** Answers somebody else's MessageID. */
  | 'wrong-relates-to'
  /** Closes the connection before it carries the request out. */
  | 'cut-before-operation'
  /** Carries the request out and closes the connection without an answer. */
  | 'cut-before-reply'
  /** Carries the request out, sends half the answer and closes the connection. */
  | 'cut-in-reply'
  /** Never answers this request and leaves the connection open. */
  | 'silence'
  /** Answers with this WSManFault code instead of carrying the request out. */
  | { readonly faultCode: number };

/** One order: what, and on which operation it waits for ("Create", "Receive", …; null is any with an envelope). */
interface Order {
  readonly what: Misbehaviour;
  readonly operation: string | null;
}

/** Orders that have not been carried out, oldest first. */
export class MisbehaviourList {
  readonly #orders: Order[] = [];

  /** Adds an order for the next request of that operation. */
  add(what: Misbehaviour, operation: string | null): void {
    this.#orders.push({ what, operation });
  }

  /** Takes the order that fits an operation, or null. */
  take(operation: string): Misbehaviour | null {
    const at = this.#orders.findIndex((order) => order.operation === null || order.operation === operation);
    return at < 0 ? null : (this.#orders.splice(at, 1)[0]?.what ?? null);
  }
}
