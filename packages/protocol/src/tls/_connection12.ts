import { failWith } from './_alerts.ts';
import type { Connection, Handshake, Setting } from './_handshake.ts';
import { expectEmpty, type MessageName } from './_messages.ts';
import type { HandshakeMessage } from './_record.ts';
import type { Suite } from './_suites.ts';
import type { TrustedPeer } from './trust.ts';

/** What a handshake of TLS 1.2 leaves behind. */
export interface Outcome12 {
  readonly suite: Suite;
  readonly group: string;
  readonly peer: TrustedPeer;
  /** What each side's Finished said; a renegotiation names both. RFC 5746, section 3.1. */
  readonly clientFinished: Uint8Array;
  readonly serverFinished: Uint8Array;
  /** Whether the server knows RFC 5746; without it there is no renegotiation. */
  readonly isRenegotiationSafe: boolean;
  readonly hasExtendedMasterSecret: boolean;
  /** Encrypt-then-MAC, which no renegotiation may take back. RFC 7366, section 3.1 */
  readonly isMacLast: boolean;
  /** How many renegotiations led here. */
  readonly renegotiationCount: number;
  /** Begins the next handshake inside this connection. */
  readonly renegotiate: (previous: Connection12) => Handshake<Connection>;
}

/** Windows renegotiates once per connection, when a resource wants a client certificate. */
export const MAX_RENEGOTIATIONS = 4;

/** TLS 1.2 after its handshake: only the server's wish for another one may come. RFC 5246, section 7.4.1.1. */
export class Connection12 implements Connection {
  readonly version = '1.2';
  readonly accepts: readonly MessageName[] = ['HelloRequest'];
  readonly outcome: Outcome12;
  readonly #setting: Setting;

  constructor(setting: Setting, outcome: Outcome12) {
    this.#setting = setting;
    this.outcome = outcome;
  }

  get suite(): Suite {
    return this.outcome.suite;
  }

  get group(): string {
    return this.outcome.group;
  }

  get peer(): TrustedPeer {
    return this.outcome.peer;
  }

  take(message: HandshakeMessage): Handshake<Connection> | null {
    expectEmpty('HelloRequest', message.body);
    this.#setting.wire.countIdle();
    if (!this.outcome.isRenegotiationSafe) {
      this.#setting.wire.sendAlert('no_renegotiation', 'warning');
      return null;
    }
    if (this.outcome.renegotiationCount >= MAX_RENEGOTIATIONS) {
      failWith('handshake_failure', 'tls.bad-handshake', { problem: 'the host renegotiates without end' });
    }
    return this.outcome.renegotiate(this);
  }

  /** TLS 1.2 cannot change a key short of a handshake: at the limit the connection ends. */
  prepareToSend(): void {}
}
