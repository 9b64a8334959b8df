import type { ClientCertificate, PackedClientCertificate, TrustAnswer, TrustOptions } from '@fairlead/protocol';
import { isWinRmError } from '@fairlead/protocol';
import type { ShellSession } from '../live-shell.ts';
import {
  type Call,
  type FromWorker,
  type Line,
  ownBytes,
  packError,
  packState,
  type SessionOrder,
  type ToWorker,
  unpackError,
} from './messages.ts';

/** Makes the session that is ordered. @throws misuse.bad-argument */
export type MakeSession = (
  order: SessionOrder,
  certificate: ClientCertificate | null,
  ask: TrustOptions['ask'],
) => Promise<ShellSession>;

/** What a worker's end is made of. */
export interface ServiceParts {
  readonly makeSession: MakeSession;
  /** Opens what a page has packed, and wipes the package. */
  readonly unpack: (packed: PackedClientCertificate) => Promise<ClientCertificate>;
}

/** Makes one session when its page orders it, and answers for it until it is over. */
export function serveSession(line: Line<FromWorker, ToWorker>, parts: ServiceParts): void {
  const service = new Service(line, parts);
  line.listen((message) => service.hear(message));
  line.post({ say: 'hello' });
}

class Service {
  readonly #line: Line<FromWorker, ToWorker>;
  readonly #parts: ServiceParts;
  readonly #giveUp = new AbortController();
  #session: ShellSession | null = null;
  #answer: ((answer: TrustAnswer) => void) | null = null;
  #allowance = 0;
  #wake: (() => void) | null = null;
  #pumping: Promise<void> | null = null;
  #isOver = false;

  constructor(line: Line<FromWorker, ToWorker>, parts: ServiceParts) {
    this.#line = line;
    this.#parts = parts;
  }

  hear(message: ToWorker): void {
    switch (message.say) {
      case 'make':
        void this.#make(message.order, message.certificate);
        return;
      case 'call':
        void this.#call(message.id, message.call);
        return;
      case 'abort':
        this.#giveUp.abort(unpackError(message.error));
        return;
      case 'take':
        this.#allowance += message.count;
        this.#wake?.();
        this.#pumping ??= this.#pump();
        return;
      case 'answer':
        this.#answer?.(message.answer);
    }
  }

  async #make(order: SessionOrder, packed: PackedClientCertificate | null): Promise<void> {
    try {
      const certificate = packed && (await this.#parts.unpack(packed));
      const session = await this.#parts.makeSession(order, certificate, (...asked) => this.#ask(...asked));
      this.#session = session;
      let told = session.state;
      session.journal.watch((entry) => {
        const { state, counts, lastRoundTripMs } = session;
        const changed = state === told ? null : packState(state);
        told = state;
        this.#line.post({ say: 'news', entry, counts: { ...counts }, lastRoundTripMs, state: changed });
      });
      session.watch(({ at }) => {
        if (at === 'ended' || at === 'lost' || at === 'closed') void this.#finish(session);
      });
      this.#line.post({ say: 'made', promptWord: session.promptWord });
    } catch (error) {
      this.#line.post({ say: 'refused', error: packError(error) });
    }
  }

  async #call(id: number, call: Call): Promise<void> {
    try {
      await this.#act(call);
      this.#line.post({ say: 'settled', id, error: null });
    } catch (error) {
      this.#line.post({ say: 'settled', id, error: packError(error) });
    }
  }

  async #act(call: Call): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    if (call.name === 'open') await session.open(this.#giveUp.signal);
    else if (call.name === 'writeText') await session.writeText(call.text);
    else if (call.name === 'endInput') await session.endInput();
    else if (call.name === 'interrupt') await session.interrupt(call.how);
    else await session.close();
  }

  /** The next chunk is asked for only when the page has room for it: that is what holds a Receive back. */
  async #pump(): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    try {
      const chunks = session.output[Symbol.asyncIterator]();
      for (;;) {
        while (this.#allowance === 0) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        const next = await chunks.next();
        if (next.done === true) break;
        this.#allowance -= 1;
        const { stream, bytes } = next.value;
        if (stream === 'gap') this.#line.post({ say: 'gap' });
        else {
          const own = ownBytes(bytes);
          this.#line.post({ say: 'chunk', stream, bytes: own }, [own.buffer]);
        }
      }
      this.#line.post({ say: 'dry', error: null });
    } catch (error) {
      this.#line.post({ say: 'dry', error: packError(error) });
      if (!isWinRmError(error)) throw error;
    }
  }

  /** The page closes the worker when it hears this: nothing may be on its way any more. */
  async #finish(session: ShellSession): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await session.close();
    await this.#pumping;
    this.#line.post({ say: 'done' });
  }

  #ask(...[question, signal]: Parameters<TrustOptions['ask']>): Promise<TrustAnswer> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      signal.addEventListener('abort', () => this.#line.post({ say: 'unask' }), { once: true });
      this.#line.post({ say: 'ask', question });
    });
  }
}
