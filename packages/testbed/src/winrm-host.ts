import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isWinRmError } from '../../protocol/src/errors.ts';
import { type Account, AccountBook } from './accounts.ts';
import { HostConnection } from './host-connection.ts';
import { HostJournal } from './journal.ts';
import { DEFAULT_LIMITS, type HostLimits } from './limits.ts';
import { type Misbehaviour, MisbehaviourList } from './misbehaviour.ts';
import { Refusal } from './refusal.ts';
import { isSealed, openBody, SOAP_TYPE, sealBody } from './sealed-body.ts';
import { isIdentify, newId, readRequest, type SoapRequest, writeEnvelope, writeFault, writeIdentity } from './soap.ts';
import { faults, SoapFault } from './soap-fault.ts';
import { WinRsService } from './winrs.ts';

/** How a host is started. */
export interface WinRmHostOptions {
  /** Default 127.0.0.1: whoever can reach the host can try passwords on it. */
  readonly host?: string;
  /** Default 0, a free port. */
  readonly port?: number;
  readonly accounts?: readonly Account[];
  readonly limits?: Partial<HostLimits>;
  /** A connection without a request for so long is closed. Default 120,000, as HTTP.sys. */
  readonly idleTimeoutMs?: number;
  /** Each connection is closed after so many requests. Default 0, never. */
  readonly closeAfterRequests?: number;
  /** Schemes in WWW-Authenticate, in this order; those the host does not know are there to be passed over. */
  readonly offers?: readonly string[];
  /** As in the NTLM CHALLENGE. Default FAIRLEAD. */
  readonly computerName?: string;
  /** Where shells begin. Default the home directory of the person who started the host. */
  readonly workingDirectory?: string;
  /** JSON lines of the journal. */
  readonly journalFile?: string;
  /** Says nothing to a request that brings neither a token nor a signed-in connection, as some servers do. */
  readonly ignoresBareRequests?: boolean;
}

/** A running host. */
export interface WinRmHost {
  readonly host: string;
  readonly port: number;
  readonly journal: HostJournal;
  readonly shellCount: number;
  addAccount(account: Account): void;
  removeAccount(user: string, domain: string): void;
  /** Closes every shell as a stopping service would; returns how many there were. */
  closeShells(): number;
  /** Cuts every connection, with FIN or with RST; returns how many there were. */
  killConnections(how?: 'finish' | 'reset'): number;
  /** From now on requests are read and not answered. */
  stopAnswering(): void;
  /** Answers what was held back, and everything after it. */
  resumeAnswering(): void;
  /** Does one thing wrong, on the next request of an operation or on the next with an envelope. */
  misbehaveNext(what: Misbehaviour, operation?: string): void;
  /** Stops, with all connections, shells and processes. Idempotent. */
  close(): Promise<void>;
}

/** Starts a WinRM host: HTTP, NTLM and SPNEGO, sealing, real processes. @throws the error of `listen` */
export async function startWinRmHost(options: WinRmHostOptions = {}): Promise<WinRmHost> {
  const host = new RunningHost(options);
  await host.listen();
  return host;
}

/** A reply on its way out. */
interface Answer {
  readonly status: number;
  readonly operation: string;
  readonly envelope: string | null;
  readonly fault: number | null;
  readonly note: string;
  readonly authenticate: readonly string[];
}

const NO_ANSWER: Answer = { status: 0, operation: '', envelope: null, fault: null, note: '', authenticate: [] };
/** What sealing and its framing add to an envelope, with room. */
const SEALING_BYTES = 4096;

class RunningHost implements WinRmHost {
  readonly host: string;
  readonly journal: HostJournal;
  readonly #options: WinRmHostOptions;
  readonly #limits: HostLimits;
  readonly #accounts = new AccountBook();
  readonly #service: WinRsService;
  readonly #server: Server;
  readonly #connections = new Map<Socket, HostConnection>();
  readonly #misbehaviour = new MisbehaviourList();
  #connectionCount = 0;
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: WinRmHostOptions) {
    this.#options = options;
    this.host = options.host ?? '127.0.0.1';
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.journal = new HostJournal(options.journalFile ?? null);
    for (const account of options.accounts ?? []) this.#accounts.add(account);
    this.#service = new WinRsService(this.#limits, this.journal, options.workingDirectory ?? null);
    // keepAliveTimeout: the idle clock is ours, because only ours can be as long as HTTP.sys's.
    this.#server = createServer({ keepAliveTimeout: 0, maxHeaderSize: 64 * 1024, noDelay: true });
    this.#server.maxConnections = this.#limits.maxConnections;
    this.#server.on('connection', (socket: Socket) => this.#welcome(socket));
    this.#server.on('request', (request, response) => this.#receive(request, response));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  get shellCount(): number {
    return this.#service.shellCount;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, this.host, resolve);
    });
  }

  addAccount(account: Account): void {
    this.#accounts.add(account);
  }

  removeAccount(user: string, domain: string): void {
    this.#accounts.remove(user, domain);
  }

  closeShells(): number {
    return this.#service.closeShells('closed by the host');
  }

  killConnections(how: 'finish' | 'reset' = 'finish'): number {
    const sockets = [...this.#connections.keys()];
    for (const socket of sockets) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    }
    return sockets.length;
  }

  stopAnswering(): void {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    this.#gate ??= { opened, open };
  }

  resumeAnswering(): void {
    this.#gate?.open();
    this.#gate = null;
  }

  misbehaveNext(what: Misbehaviour, operation?: string): void {
    this.#misbehaviour.add(what, operation ?? null);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.resumeAnswering();
    this.#service.closeShells('the host stops');
    this.killConnections();
    await stopped;
    await this.journal.close();
  }

  #welcome(socket: Socket): void {
    this.#connectionCount += 1;
    const connection = new HostConnection(this.#connectionCount, socket, this.journal);
    this.#connections.set(socket, connection);
    socket.on('close', () => this.#connections.delete(socket));
    connection.startIdling(this.#idleTimeoutMs);
  }

  get #idleTimeoutMs(): number {
    return this.#options.idleTimeoutMs ?? 120_000;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return void response.destroy();
    connection.stopIdling();
    response.on('close', () => connection.startIdling(this.#idleTimeoutMs));
    connection
      .inTurn(() => this.#exchange(connection, request, response))
      .catch((error: unknown) => {
        // A mistake of ours must not look like a server that waits.
        response.destroy(error instanceof Error ? error : undefined);
      });
  }

  async #exchange(connection: HostConnection, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, this.#limits.maxEnvelopeBytes * 2 + SEALING_BYTES);
    connection.requestCount += 1;
    if (this.#gate !== null) await this.#gate.opened;
    if (response.destroyed) return this.#record(connection, request, NO_ANSWER, body?.length ?? 0, 0);
    if (body === null) {
      response.setHeader('Connection', 'close');
      return this.#answer(connection, request, response, { ...NO_ANSWER, status: 413, note: 'too large' }, 0);
    }
    const isPlain = !isSealed(request.headers['content-type'] ?? '');
    const misbehaviour: { what: Misbehaviour | null } = { what: null };
    const answer = await this.#judge(connection, request, response, body, misbehaviour);
    if (answer === null) return this.#record(connection, request, NO_ANSWER, body.length, 0);
    this.#answer(connection, request, response, answer, body.length, isPlain ? 'plain' : 'sealed', misbehaviour.what);
  }

  /** Decides on one request. Null is no answer at all. */
  async #judge(
    connection: HostConnection,
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    misbehaviour: { what: Misbehaviour | null },
  ): Promise<Answer | null> {
    if (!isWsman(request.url ?? '')) return { ...NO_ANSWER, status: 404, note: 'not /wsman' };
    if (request.method !== 'POST') return { ...NO_ANSWER, status: 405, note: 'not POST' };
    let authenticate: readonly string[] = [];
    if (request.headers.authorization !== undefined) {
      const verdict = connection.authenticate(request, this.#accounts, this.#options.computerName ?? 'FAIRLEAD');
      if (verdict.at === 'refused') return this.#challenge(connection, response, 'refused');
      if (verdict.at === 'continues') return { ...NO_ANSWER, status: 401, authenticate: [verdict.header] };
      authenticate = verdict.header === null ? [] : [verdict.header];
    } else if (connection.peer === null) {
      if (asksAnonymously(request, body))
        return { ...NO_ANSWER, status: 200, operation: 'Identify', envelope: writeIdentity(false) };
      return this.#options.ignoresBareRequests === true ? null : this.#challenge(connection, response, 'not signed in');
    }
    if (body.length === 0) return { ...NO_ANSWER, status: 200, authenticate, note: 'empty body' };
    const contentType = request.headers['content-type'] ?? '';
    // AllowUnencrypted is false: Windows answers a plain envelope with 500 and nothing else.
    if (!isSealed(contentType)) return { ...NO_ANSWER, status: 500, authenticate, note: 'plain envelope' };
    const plain = openOrNull(connection, contentType, body);
    if (typeof plain === 'string') {
      response.setHeader('Connection', 'close');
      return { ...NO_ANSWER, status: 400, authenticate, note: plain };
    }
    return this.#perform(connection, response, plain, authenticate, misbehaviour);
  }

  #challenge(connection: HostConnection, response: ServerResponse, note: string): Answer {
    if (connection.isWornOut) response.setHeader('Connection', 'close');
    return { ...NO_ANSWER, status: 401, authenticate: this.#options.offers ?? ['Negotiate'], note };
  }

  async #perform(
    connection: HostConnection,
    response: ServerResponse,
    plain: Uint8Array,
    authenticate: readonly string[],
    misbehaviour: { what: Misbehaviour | null },
  ): Promise<Answer | null> {
    let request: SoapRequest | null = null;
    const say = (status: number, envelope: string, fault: number | null): Answer => {
      const operation = request === null ? '?' : operationOf(request);
      return { ...NO_ANSWER, status, operation, envelope, fault, authenticate };
    };
    try {
      request = readRequest(Buffer.from(plain).toString('utf8'));
      const what = this.#misbehaviour.take(operationOf(request));
      misbehaviour.what = what;
      if (what === 'silence') return null;
      if (what === 'cut-before-operation') {
        connection.socket.destroy();
        return null;
      }
      if (what !== null && typeof what === 'object')
        throw new SoapFault(what.faultCode, 'w:InternalError', 'As ordered.');
      if (plain.length > this.#limits.maxEnvelopeBytes) throw faults.envelopeTooLarge(this.#limits.maxEnvelopeBytes);
      if (isIdentify(request)) return say(200, writeIdentity(true), null);
      const reply = await this.#carryOut(connection, response, request);
      const relatesTo = what === 'wrong-relates-to' ? `uuid:${newId()}` : request.messageId;
      return say(200, writeEnvelope(reply.action, relatesTo, reply.body), null);
    } catch (error) {
      if (!(error instanceof SoapFault)) throw error;
      return say(500, writeFault(error, request?.messageId ?? ''), error.code);
    }
  }

  async #carryOut(
    connection: HostConnection,
    response: ServerResponse,
    request: SoapRequest,
  ): Promise<{ action: string; body: string }> {
    const { peer, address } = connection;
    if (peer === null) throw faults.accessDenied();
    const gone = new AbortController();
    const onClose = (): void => gone.abort();
    response.once('close', onClose);
    try {
      return await this.#service.perform(request, { account: peer.account, address, gone: gone.signal });
    } finally {
      response.removeListener('close', onClose);
    }
  }

  #answer(
    connection: HostConnection,
    request: IncomingMessage,
    response: ServerResponse,
    answer: Answer,
    requestBytes: number,
    form: 'plain' | 'sealed' = 'plain',
    misbehaviour: Misbehaviour | null = null,
  ): void {
    const sealing = connection.peer?.sealing ?? null;
    const { closeAfterRequests = 0 } = this.#options;
    if (closeAfterRequests > 0 && connection.requestCount >= closeAfterRequests)
      response.setHeader('Connection', 'close');
    if (answer.authenticate.length > 0) response.setHeader('WWW-Authenticate', answer.authenticate);
    response.setHeader('Server', 'Fairlead-Testbed');
    let body: Buffer = Buffer.from(answer.envelope ?? '', 'utf8');
    const isSealedReply = form === 'sealed' && sealing !== null && misbehaviour !== 'plain-reply' && body.length > 0;
    if (isSealedReply) {
      const sealed = sealBody(sealing, body);
      body = sealed.body;
      response.setHeader('Content-Type', sealed.contentType);
      if (misbehaviour === 'bad-signature') flipBit(body);
    } else if (body.length > 0) response.setHeader('Content-Type', SOAP_TYPE);
    response.setHeader('Content-Length', body.length);
    this.#record(connection, request, answer, requestBytes, body.length, isSealedReply);
    response.statusCode = answer.status;
    if (misbehaviour === 'cut-before-reply') return void connection.socket.destroy();
    if (misbehaviour === 'cut-in-reply') {
      response.write(body.subarray(0, body.length / 2), () => connection.socket.destroy());
      return;
    }
    response.end(body);
  }

  #record(
    connection: HostConnection,
    request: IncomingMessage,
    answer: Answer,
    requestBytes: number,
    responseBytes: number,
    isSealedReply = false,
  ): void {
    const { status, operation, fault, note } = answer;
    const facts = { connection: connection.number, method: request.method ?? '', target: request.url ?? '' };
    const sizes = { requestBytes, responseBytes };
    this.journal.record({
      event: 'request',
      ...facts,
      status,
      operation,
      isSealed: isSealedReply,
      fault,
      ...sizes,
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
  return /^(?:http:\/\/[^/]+)?\/wsman\/?(?:\?.*)?$/i.test(target);
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

/** The envelope, or why there is none. */
function openOrNull(connection: HostConnection, contentType: string, body: Buffer): Uint8Array | string {
  const sealing = connection.peer?.sealing ?? null;
  if (sealing === null) return 'sealed, and no keys on this connection';
  try {
    return openBody(sealing, contentType, body);
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    if (isWinRmError(error)) return error.code;
    throw error;
  }
}

function flipBit(body: Buffer): void {
  const at = body.length - 30; // within the sealed bytes, before the closing boundary
  body[at] = (body[at] ?? 0) ^ 1;
}

/** The whole body; null when it is longer than allowed (what follows is dropped unread) or never came to its end. */
function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on('data', (part: Buffer) => {
      length += part.length;
      if (length <= limitBytes) parts.push(part);
      else {
        request.pause();
        resolve(null);
      }
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', () => resolve(null));
    request.on('close', () => resolve(null));
  });
}
