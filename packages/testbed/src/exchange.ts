import type { IncomingMessage, ServerResponse } from 'node:http';
import { isWinRmError } from '../../protocol/src/errors.ts';
import type { ConnectionHost, HostConnection } from './host-connection.ts';
import type { HostLimits } from './limits.ts';
import type { Misbehaviour, MisbehaviourList } from './misbehaviour.ts';
import type { AcceptedPeer } from './ntlm-acceptor.ts';
import { Refusal } from './refusal.ts';
import { isSealed, openBody, SOAP_TYPE, sealBody } from './sealed-body.ts';
import { isIdentify, newId, readRequest, type SoapRequest, writeEnvelope, writeFault, writeIdentity } from './soap.ts';
import { faults, SoapFault } from './soap-fault.ts';
import type { WinRsService } from './winrs.ts';

/** What every exchange of a host shares. */
export interface HostContext extends ConnectionHost {
  readonly service: WinRsService;
  readonly limits: HostLimits;
  readonly misbehaviour: MisbehaviourList;
  readonly ignoresBareRequests: boolean;
  readonly closeAfterRequests: number;
}

/** A reply on its way out. */
interface Answer {
  readonly status: number;
  readonly operation: string;
  readonly envelope: string | null;
  readonly fault: number | null;
  /** Values of WWW-Authenticate. */
  readonly authenticate: readonly string[];
  readonly note: string;
  readonly closes: boolean;
}

const BARE: Answer = {
  status: 0,
  operation: '',
  envelope: null,
  fault: null,
  authenticate: [],
  note: '',
  closes: false,
};

/** One HTTP request and its answer: authentication, sealing, the envelope in between. */
export class Exchange {
  readonly #host: HostContext;
  readonly #connection: HostConnection;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #contentType: string;
  /** Who sent this request: known by its header, or by the connection. */
  #peer: AcceptedPeer | null;
  /** What this exchange was ordered to do wrong. */
  #misbehaviour: Misbehaviour | null = null;

  constructor(host: HostContext, connection: HostConnection, request: IncomingMessage, response: ServerResponse) {
    this.#host = host;
    this.#connection = connection;
    this.#request = request;
    this.#response = response;
    this.#contentType = request.headers['content-type'] ?? '';
    this.#peer = connection.peer;
  }

  /** @param body null when it was larger than this host reads */
  async run(body: Buffer | null): Promise<void> {
    const tooLarge: Answer = { ...BARE, status: 413, note: 'too large', closes: true };
    const answer = body === null ? tooLarge : await this.#judge(body);
    if (answer === null) this.#record(BARE, body?.length ?? 0, 0, false);
    else this.#give(answer, body?.length ?? 0);
  }

  /** Nobody waits for the answer any more. */
  abandon(): void {
    this.#record({ ...BARE, note: 'the client left' }, 0, 0, false);
  }

  /** Decides on the request. Null is no answer at all. */
  async #judge(body: Buffer): Promise<Answer | null> {
    if (!isWsman(this.#request.url ?? '')) return { ...BARE, status: 404, note: 'not /wsman' };
    if (this.#request.method !== 'POST') return { ...BARE, status: 405, note: 'not POST' };
    let authenticate: readonly string[] = [];
    if (this.#request.headers.authorization !== undefined) {
      const verdict = await this.#connection.authenticate(this.#request);
      if (verdict.at === 'cut') return this.#cut('reset');
      if (verdict.at === 'refused') return this.#refuse(verdict.status);
      if (verdict.at === 'continues') return { ...BARE, status: 401, authenticate: [verdict.header] };
      this.#peer = verdict.peer;
      authenticate = verdict.header === null ? [] : [verdict.header];
    } else if (this.#peer === null) {
      if (asksAnonymously(this.#request, body))
        return { ...BARE, status: 200, operation: 'Identify', envelope: writeIdentity(false) };
      return this.#host.ignoresBareRequests ? null : this.#challenge('not signed in');
    }
    if (body.length === 0) return { ...BARE, status: 200, authenticate, note: 'empty body' };
    if (!isSealed(this.#contentType)) {
      if (this.#connection.isSecure) return this.#perform(body, authenticate);
      // AllowUnencrypted is false: Windows answers a plain envelope with 500 and nothing else.
      return { ...BARE, status: 500, authenticate, note: 'plain envelope' };
    }
    const opened = this.#open(body);
    if (typeof opened === 'string') return { ...BARE, status: 400, authenticate, note: opened, closes: true };
    return this.#perform(opened, authenticate);
  }

  #challenge(note: string): Answer {
    const { rules, isWornOut } = this.#connection;
    return { ...BARE, status: 401, authenticate: rules.offers, note, closes: isWornOut };
  }

  #refuse(status: 401 | 403 | 503): Answer {
    return status === 401 ? this.#challenge('refused') : { ...BARE, status, note: 'refused', closes: true };
  }

  /** Leaves without an answer. */
  #cut(how: 'finish' | 'reset' = 'finish'): null {
    this.#connection.cut(how);
    return null;
  }

  /** The envelope, or why there is none. */
  #open(body: Buffer): Uint8Array | string {
    const sealing = this.#peer?.sealing ?? null;
    if (sealing === null) return 'sealed, and no keys on this connection';
    try {
      return openBody(sealing, this.#contentType, body);
    } catch (error) {
      if (error instanceof Refusal) return error.message;
      if (isWinRmError(error)) return error.code;
      throw error;
    }
  }

  async #perform(plain: Uint8Array, authenticate: readonly string[]): Promise<Answer | null> {
    let request: SoapRequest | null = null;
    try {
      request = readRequest(Buffer.from(plain).toString('utf8'));
      const operation = operationOf(request);
      this.#misbehaviour = this.#host.misbehaviour.take(operation);
      if (this.#misbehaviour === 'silence') return null;
      if (this.#misbehaviour === 'cut-before-operation') return this.#cut();
      const envelope = await this.#carryOut(request, plain.length);
      return { ...BARE, status: 200, operation, envelope, authenticate };
    } catch (error) {
      if (!(error instanceof SoapFault)) throw error;
      const operation = request === null ? '?' : operationOf(request);
      const envelope = writeFault(error, request?.messageId ?? '');
      return { ...BARE, status: 500, operation, envelope, fault: error.code, authenticate };
    }
  }

  /** @throws SoapFault */
  async #carryOut(request: SoapRequest, requestBytes: number): Promise<string> {
    const { service, limits } = this.#host;
    const misbehaviour = this.#misbehaviour;
    const { address } = this.#connection;
    const peer = this.#peer;
    if (peer === null) throw faults.accessDenied();
    if (misbehaviour !== null && typeof misbehaviour === 'object')
      throw new SoapFault(misbehaviour.faultCode, 'w:InternalError', 'The host was told to answer with this fault.');
    if (requestBytes > limits.maxEnvelopeBytes) throw faults.envelopeTooLarge(limits.maxEnvelopeBytes);
    if (isIdentify(request)) return writeIdentity(true);
    const gone = new AbortController();
    const onClose = (): void => gone.abort();
    this.#response.once('close', onClose);
    try {
      const reply = await service.perform(request, { account: peer.account, address, gone: gone.signal });
      const relatesTo = misbehaviour === 'wrong-relates-to' ? `uuid:${newId()}` : request.messageId;
      return writeEnvelope(reply.action, relatesTo, reply.body);
    } finally {
      this.#response.removeListener('close', onClose);
    }
  }

  #give(answer: Answer, requestBytes: number): void {
    const response = this.#response;
    const { body, contentType, isSealed: isSealedReply } = this.#dress(answer);
    this.#record(answer, requestBytes, body.length, isSealedReply);
    const { closeAfterRequests } = this.#host;
    const isWorn = closeAfterRequests > 0 && this.#connection.requestCount >= closeAfterRequests;
    response.statusCode = answer.status;
    response.setHeader('Server', 'Fairlead-Testbed');
    if (answer.authenticate.length > 0) response.setHeader('WWW-Authenticate', answer.authenticate);
    if (contentType !== null) response.setHeader('Content-Type', contentType);
    if (answer.closes || isWorn) response.setHeader('Connection', 'close');
    response.setHeader('Content-Length', body.length);
    if (this.#misbehaviour === 'cut-before-reply') this.#cut();
    else if (this.#misbehaviour === 'cut-in-reply') {
      response.write(body.subarray(0, body.length / 2), () => this.#cut());
    } else response.end(body);
  }

  /** What a sealed request is answered with is sealed. */
  #dress(answer: Answer): { body: Buffer; contentType: string | null; isSealed: boolean } {
    const sealing = this.#peer?.sealing ?? null;
    if (answer.envelope === null) return { body: Buffer.alloc(0), contentType: null, isSealed: false };
    const plain = Buffer.from(answer.envelope, 'utf8');
    if (sealing === null || !isSealed(this.#contentType) || this.#misbehaviour === 'plain-reply')
      return { body: plain, contentType: SOAP_TYPE, isSealed: false };
    const sealed = sealBody(sealing, plain);
    if (this.#misbehaviour === 'bad-signature') flipBit(sealed.body);
    return { ...sealed, isSealed: true };
  }

  #record(answer: Answer, requestBytes: number, responseBytes: number, isSealedReply: boolean): void {
    const { status, operation, fault, note } = answer;
    this.#host.journal.record({
      event: 'request',
      connection: this.#connection.number,
      method: this.#request.method ?? '',
      target: this.#request.url ?? '',
      status,
      operation,
      isSealed: isSealedReply,
      fault,
      requestBytes,
      responseBytes,
      note,
    });
  }
}

/** "Create" of ".../transfer/Create". */
function operationOf(request: SoapRequest): string {
  return isIdentify(request) ? 'Identify' : request.action.slice(request.action.lastIndexOf('/') + 1);
}

/** A proxy may leave the target in absolute form. RFC 9112, section 3.2.2 */
function isWsman(target: string): boolean {
  return /^(?:https?:\/\/[^/]+)?\/wsman\/?(?:\?.*)?$/i.test(target);
}

function asksAnonymously(request: IncomingMessage, body: Buffer): boolean {
  if (request.headers['wsmanidentify']?.toString().toLowerCase() !== 'unauthenticated') return false;
  try {
    return isIdentify(readRequest(body.toString('utf8')));
  } catch (error) {
    if (error instanceof SoapFault) return false;
    throw error;
  }
}

function flipBit(body: Buffer): void {
  const at = body.length - 30; // within the sealed bytes, before the closing boundary
  body[at] = (body[at] ?? 0) ^ 1;
}
