import { utf8Encode } from '../bytes/bytes.ts';
import type { XmlElement } from '../codec/xml.ts';
import { fail, isWinRmError } from '../errors.ts';
import type { Journal } from '../journal.ts';
import type { Platform } from '../platform.ts';
import { DEFAULT_REQUEST_BYTES, decodeEnvelope, encodeEnvelope, MAX_REPLY_BYTES, newGuid } from './envelope.ts';
import { decodeFault, type Fault, failWithFault } from './fault.ts';
import type { Lane } from './lane.ts';
import { getConfig, type Operation } from './operations.ts';

/** What a client is made of. */
export interface ClientOptions {
  /** The URL as the person sees it, for `a:To`. */
  readonly url: string;
  readonly platform: Platform;
  readonly journal: Journal;
}

/**
 * How much longer than the server's own limit we wait for its answer: the way there and back.
 * [MS-WSMV] 3.1.1.1: NetworkDelayms, 5000 by default.
 */
const NETWORK_DELAY_MS = 5000;

/** Asks operations of one server, over any of its lanes. */
export class WsmanClient {
  readonly #options: ClientOptions;
  readonly #sessionId: string;
  #requestLimitBytes = DEFAULT_REQUEST_BYTES;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#sessionId = this.#newId();
  }

  /** The largest envelope this server takes, as far as we know. */
  get requestLimitBytes(): number {
    return this.#requestLimitBytes;
  }

  /**
   * Posts one operation on a lane and reads the answer.
   *
   * @param onRepeat called when it is asked again although it may have been answered
   * @throws wsman.envelope-too-large before anything is sent; wsman.wrong-reply, wsman.malformed, the errors of faults,
   *   and what the lane throws
   */
  async post<Reply>(
    operation: Operation<Reply>,
    lane: Lane,
    signal: AbortSignal,
    onRepeat?: () => void,
  ): Promise<Reply> {
    let messageId = '';
    let requestBytes = 0;
    const limitBytes = this.#requestLimitBytes;
    const compose = (): string => {
      messageId = this.#newId();
      const envelope = this.#compose(operation, messageId);
      requestBytes = utf8Encode(envelope).length;
      return envelope;
    };
    if (utf8Encode(compose()).length > limitBytes) {
      fail('wsman.envelope-too-large', { bytes: requestBytes, limitBytes });
    }
    const heard: { answer: Answer | null } = { answer: null };
    const text = await lane.post(compose, {
      operation: operation.name,
      replyWithinMs: (operation.waitSeconds ?? operation.timeoutSeconds) * 1000 + NETWORK_DELAY_MS,
      isRepeatable: operation.isRepeatable,
      mayRide: operation.mayRide,
      check: (reply) => {
        heard.answer = answerTo(messageId, reply);
      },
      signal,
      onRepeat,
    });
    const { body, fault } = heard.answer ?? answerTo(messageId, text);
    if (fault === null) return operation.read(body);
    const context = { timeoutSeconds: operation.timeoutSeconds, requestBytes, limitBytes };
    return this.#fail(() => failWithFault(fault, context), fault.code);
  }

  /** Asks the server how large an envelope may be, once it matters. People who may not know stay with the default. */
  async learnLimit(lane: Lane, signal: AbortSignal): Promise<void> {
    try {
      const { maxEnvelopeBytes } = await this.post(getConfig(), lane, signal);
      // No larger than what we can take ourselves, and never below what the specification makes the least setting.
      if (maxEnvelopeBytes !== null) {
        this.#requestLimitBytes = Math.max(LEAST_LIMIT_BYTES, Math.min(maxEnvelopeBytes, MAX_REPLY_BYTES));
      }
    } catch (error) {
      if (!REFUSALS.some((code) => isWinRmError(error, code))) throw error;
    }
  }

  #newId(): string {
    return `uuid:${newGuid((length) => this.#options.platform.random(length))}`;
  }

  #compose(operation: Operation<unknown>, messageId: string): string {
    const { action, resourceUri, selectors, options, timeoutSeconds } = operation;
    const header = {
      to: this.#options.url,
      action,
      resourceUri,
      messageId,
      sessionId: this.#sessionId,
      operationTimeoutSeconds: timeoutSeconds,
      selectors,
      options,
    };
    return encodeEnvelope(header, operation.body);
  }

  /** Journals a fault that means something; "nothing yet" comes every twenty seconds of an idle shell. */
  #fail(raise: () => never, code: string): never {
    try {
      return raise();
    } catch (error) {
      if (!isWinRmError(error, 'wsman.timed-out')) this.#options.journal.record({ event: 'fault', code });
      throw error;
    }
  }
}

interface Answer {
  readonly body: XmlElement;
  readonly fault: Fault | null;
}

/** @throws wsman.wrong-reply, wsman.malformed */
function answerTo(messageId: string, text: string): Answer {
  const { body, relatesTo } = decodeEnvelope(text);
  const fault = decodeFault(body);
  // A server that could not read our header cannot say what its fault relates to; the seal says that it is for us.
  const isNameless = fault !== null && relatesTo === '';
  if (relatesTo !== messageId && !isNameless) {
    fail('wsman.wrong-reply', { expected: messageId, received: relatesTo.slice(0, MAX_ID_CHARS) });
  }
  return { body, fault };
}

/** Answers of a server to someone who may not read its configuration, or that has none. */
const REFUSALS = ['wsman.access-denied', 'wsman.fault', 'wsman.shell-gone', 'wsman.malformed'] as const;
/** [MS-WSMV] 2.2.4.10: the least MaxEnvelopeSizekb is 32. */
const LEAST_LIMIT_BYTES = 32 * 1024;
/** `uuid:` and a GUID, with room for what a stranger might write. */
const MAX_ID_CHARS = 80;
