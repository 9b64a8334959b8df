import {
  addPin,
  fail,
  pinsFor,
  pinTarget,
  type Target,
  type TrustAnswer,
  type TrustOptions,
  type TrustQuestion,
} from '@fairlead/protocol';
import { changePins, readPins } from './pin-book.ts';
import { readRoots } from './root-book.ts';

/** Whom one attempt may talk to, as this browser keeps it, and the answer to its one question. */
export class FirstContacts {
  readonly trust: TrustOptions;
  #waiting: ((answer: TrustAnswer) => void) | null = null;

  /** @throws misuse.bad-argument malformed while what this browser keeps cannot be read */
  constructor(target: Pick<Target, 'host' | 'port'>) {
    const ask: TrustOptions['ask'] = (question, signal) => this.#ask(question, signal);
    const [pins, roots] = [readPins(), readRoots()];
    if (pins === null || roots === null) fail('misuse.bad-argument', { argument: 'certificates', reason: 'malformed' });
    this.trust = { policy: { roots, pins: pinsFor(pins, pinTarget(target.host, target.port)) }, ask };
  }

  /** Answers the question that is asked; ignored when none is. */
  answer(answer: TrustAnswer): void {
    this.#waiting?.(answer);
    this.#waiting = null;
  }

  /** A pin is kept before the answer is given, so that a full or forbidden store refuses instead of forgetting. */
  #ask(question: TrustQuestion, signal: AbortSignal): Promise<TrustAnswer> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => this.answer('refuse'), { once: true });
      this.#waiting = (answer) => {
        try {
          if (answer === 'pin') changePins((store) => addPin(store, question.target, question.pin));
          resolve(answer);
        } catch (error) {
          reject(error);
        }
      };
    });
  }
}
