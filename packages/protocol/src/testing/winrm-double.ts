import { ntHash, ntowfV2, ntProof, sessionBaseKey } from '../auth/ntlm/_keys.ts';
import { AV_ID, decodeAuthenticate, decodeNtlmv2Response, encodeChallenge, NTLM_FLAG } from '../auth/ntlm/_messages.ts';
import { createNtlmSealing, type NtlmSealing } from '../auth/ntlm/_seal.ts';
import {
  concatBytes,
  equalBytes,
  fromBase64,
  latin1Encode,
  NO_BYTES,
  toBase64,
  utf8Decode,
  utf8Encode,
  utf16leEncode,
} from '../bytes/bytes.ts';
import type { ByteStream } from '../bytes/stream.ts';
import { attributeOf, childOf, parseXml, type XmlElement } from '../codec/xml.ts';
import { Rc4 } from '../crypto/legacy.ts';
import { type DecodedRequest, RequestDecoder } from '../http/request-decoder.ts';
import type { OpenedRoad, RoadOpener } from '../opened-road.ts';
import { sealEnvelope, unsealReply } from '../seal/seal.ts';
import { NAMESPACES } from '../wsman/uris.ts';
import { type StreamPair, streamPair } from './pair.ts';

/** A reply as the double writes it. `sealed` bodies are sealed with the keys of the connection. */
export interface DoubleReply {
  readonly status: number;
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  readonly isSealed?: boolean;
  /** Says `Connection: close` and closes. */
  readonly isLast?: boolean;
}

/** One operation that reached the double under keys. */
export interface SeenOperation {
  readonly connection: number;
  readonly name: string;
  readonly messageId: string;
  readonly body: XmlElement;
  readonly xml: string;
}

/** What a test may put in the way of an operation: another reply, or the connection's end. */
export type Obstacle = DoubleReply | 'drop' | undefined;

/** How a double behaves. */
export interface DoubleOptions {
  readonly password?: string;
  /** What the roads to it look like. */
  readonly road?: Partial<Pick<OpenedRoad, 'form' | 'hasProxy'>>;
  /** Each connection is closed after so many requests. */
  readonly closeAfter?: number;
  /** On every reply, as a proxy adds them. */
  readonly headers?: readonly string[];
  /** Takes plain envelopes and answers in kind, as a server does inside TLS. */
  readonly takesPlain?: boolean;
  /** With `takesPlain`: answers in this way whatever was asked. */
  readonly answersIn?: 'plain' | 'sealed';
  /** With `takesPlain`: the Authorization that admits each request that carries it, and nothing else does. */
  readonly standing?: string;
}

/** One connection as the double saw it. */
export interface SeenConnection {
  readonly lane: string;
  readonly pair: StreamPair;
  readonly requests: DecodedRequest[];
  handshakes: number;
  /** The channel binding of its sign-in, MsvAvChannelBindings; null before, and where there was none. */
  binding: Uint8Array | null;
  /** Whether a request that still waits has nobody to answer any more. */
  isGone: boolean;
}

/**
 * A WinRM server in memory: NTLM without SPNEGO, sealing, one shell with one command whose output a test writes. The
 * mirror of the client, written against the same tables.
 */
export class WinRmDouble {
  readonly connections: SeenConnection[] = [];
  readonly operations: SeenOperation[] = [];
  readonly input: { text: string; isEnd: boolean }[] = [];
  readonly signals: string[] = [];
  /** Before the double acts: to refuse, or to lose a request. */
  before: (operation: SeenOperation) => Obstacle | Promise<Obstacle> = () => undefined;
  /** After it acted: to lose a reply or to put another in its place. */
  after: (operation: SeenOperation, reply: DoubleReply) => Obstacle | Promise<Obstacle> = () => undefined;
  /** Any request at all, before anything else. */
  onRequest: (request: DecodedRequest, connection: number) => Obstacle | Promise<Obstacle> = () => undefined;
  hasShell = false;
  isTerminated = false;
  readonly #options: DoubleOptions;
  readonly #output: { stream: string; bytes: Uint8Array }[] = [];
  #exitCode: string | null = null;
  #waiting: (() => void)[] = [];
  #expired = 0;

  constructor(options: DoubleOptions = {}) {
    this.#options = options;
  }

  readonly openRoad: RoadOpener = async (lane) => {
    const pair = streamPair();
    const seen: SeenConnection = { lane, pair, requests: [], handshakes: 0, binding: null, isGone: false };
    this.connections.push(seen);
    void new DoubleConnection(this, seen, this.connections.length, this.#options)
      .serve(pair.far)
      .catch(() => undefined);
    return {
      stream: pair.near,
      form: this.#options.road?.form ?? 'origin',
      hasProxy: this.#options.road?.hasProxy ?? false,
    };
  };

  /** Names of the operations that were received, in order. */
  get names(): string[] {
    return this.operations.map(({ name }) => name);
  }

  /** Something the command writes. */
  write(stream: 'stdout' | 'stderr', text: string | Uint8Array): void {
    this.#output.push({ stream, bytes: typeof text === 'string' ? utf8Encode(text) : text });
    this.#wake();
  }

  /** The command ends. */
  exit(code: number | string): void {
    this.#exitCode = String(code);
    this.#wake();
  }

  /** The Receive that waits is answered "nothing yet". */
  expire(): void {
    this.#expired++;
    this.#wake();
  }

  /** Ends every connection that is open, from the server's side. */
  endConnections(): void {
    for (const connection of this.connections) {
      connection.isGone = true;
      void connection.pair.far.end().catch(() => undefined);
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  async act(operation: SeenOperation): Promise<DoubleReply> {
    this.operations.push(operation);
    const obstacle = await this.before(operation);
    if (obstacle === 'drop') throw new Error('dropped');
    if (obstacle !== undefined) return obstacle;
    const reply = await this.#perform(operation);
    const replaced = await this.after(operation, reply);
    if (replaced === 'drop') throw new Error('dropped');
    return replaced ?? reply;
  }

  async #perform(operation: SeenOperation): Promise<DoubleReply> {
    const { name, body, messageId } = operation;
    if (name !== 'Create' && name !== 'Get' && !this.hasShell)
      return fault(messageId, '2150858843', 'w:InvalidSelectors', 'gone');
    switch (name) {
      case 'Create':
        this.hasShell = true;
        return answer(
          messageId,
          '<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet><w:Selector Name="ShellId">SHELL-1</w:Selector>' +
            '</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>',
        );
      case 'Command':
        return answer(messageId, '<rsp:CommandResponse><rsp:CommandId>COMMAND-1</rsp:CommandId></rsp:CommandResponse>');
      case 'Receive':
        return await this.#receive(operation);
      case 'Send': {
        const send = childOf(body, NAMESPACES.rsp, 'Send');
        const stream = send && childOf(send, NAMESPACES.rsp, 'Stream');
        const text = utf8Decode(fromBase64(stream?.text ?? '') ?? NO_BYTES);
        this.input.push({ text, isEnd: stream !== null && attributeOf(stream, 'End') === 'true' });
        return answer(messageId, '<rsp:SendResponse/>');
      }
      case 'Signal': {
        const signal = childOf(body, NAMESPACES.rsp, 'Signal');
        const code = (signal && childOf(signal, NAMESPACES.rsp, 'Code')?.text) ?? '';
        this.signals.push(code.slice(code.lastIndexOf('/') + 1));
        this.isTerminated ||= code.endsWith('/terminate');
        this.#wake();
        return answer(messageId, '<rsp:SignalResponse/>');
      }
      case 'Delete':
        this.hasShell = false;
        this.#wake();
        return answer(messageId, '');
      case 'Get':
        return answer(
          messageId,
          `<cfg:Config xmlns:cfg="${NAMESPACES.cfg}"><cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb></cfg:Config>`,
        );
      default:
        return fault(messageId, '2150858817', 'a:ActionNotSupported', name);
    }
  }

  async #receive({ messageId, connection }: SeenOperation): Promise<DoubleReply> {
    const seen = this.connections[connection - 1];
    const requireListener = (): void => {
      if (seen?.isGone || seen?.pair.destroyed.near()) throw new Error('nobody listens');
    };
    while (this.#output.length === 0 && this.#exitCode === null) {
      if (this.isTerminated) return fault(messageId, '995', 'w:InternalError', 'aborted');
      if (!this.hasShell) return fault(messageId, '2150858843', 'w:InvalidSelectors', 'gone');
      if (this.#expired > 0) {
        this.#expired--;
        return fault(messageId, '2150858793', 'w:TimedOut', 'nothing yet');
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      requireListener();
    }
    const streams = this.#output
      .splice(0)
      .map(({ stream, bytes }) => `<rsp:Stream Name="${stream}" CommandId="COMMAND-1">${toBase64(bytes)}</rsp:Stream>`);
    const state =
      this.#exitCode === null
        ? ''
        : `<rsp:CommandState CommandId="COMMAND-1" State="${NAMESPACES.rsp}/CommandState/Done"><rsp:ExitCode>${this.#exitCode}</rsp:ExitCode></rsp:CommandState>`;
    return answer(messageId, `<rsp:ReceiveResponse>${streams.join('')}${state}</rsp:ReceiveResponse>`);
  }
}

/** A sealed answer that relates to a request. */
export function answer(messageId: string, body: string, status = 200): DoubleReply {
  const declared = Object.entries(NAMESPACES).map(([prefix, uri]) => `xmlns:${prefix}="${uri}"`);
  const header = `<s:Header><a:RelatesTo>${messageId}</a:RelatesTo></s:Header>`;
  return {
    status,
    isSealed: true,
    body: `<s:Envelope ${declared.join(' ')}>${header}<s:Body>${body}</s:Body></s:Envelope>`,
  };
}

/** A sealed fault, as Windows shapes it. */
export function fault(messageId: string, code: string, subcode: string, text: string): DoubleReply {
  return answer(
    messageId,
    `<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>${subcode}</s:Value></s:Subcode></s:Code>` +
      `<s:Reason><s:Text xml:lang="en-US">${text}</s:Text></s:Reason><s:Detail><f:WSManFault Code="${code}" Machine="SRV">` +
      `<f:Message>${text}</f:Message></f:WSManFault></s:Detail></s:Fault>`,
    500,
  );
}

class DoubleConnection {
  readonly #double: WinRmDouble;
  readonly #seen: SeenConnection;
  readonly #number: number;
  readonly #options: DoubleOptions;
  #challenge: Uint8Array | null = null;
  #keys: NtlmSealing | null = null;
  #wasPlain = false;

  constructor(double: WinRmDouble, seen: SeenConnection, number: number, options: DoubleOptions) {
    this.#double = double;
    this.#seen = seen;
    this.#number = number;
    this.#options = options;
  }

  async serve(stream: ByteStream): Promise<void> {
    const decoder = new RequestDecoder();
    try {
      for (;;) {
        const request = decoder.next();
        if (request === 'need-bytes') {
          const bytes = await stream.read();
          if (bytes === null) return stream.destroy();
          decoder.feed(bytes);
          continue;
        }
        this.#seen.requests.push(request);
        const reply = await this.#reply(request);
        const isLast = reply.isLast || this.#seen.requests.length === this.#options.closeAfter;
        await stream.write(this.#encode({ ...reply, isLast }));
        if (isLast) return await stream.end();
      }
    } catch {
      stream.destroy();
    }
  }

  async #reply(request: DecodedRequest): Promise<DoubleReply> {
    const obstacle = await this.#double.onRequest(request, this.#number);
    if (obstacle === 'drop') throw new Error('dropped');
    if (obstacle !== undefined) return obstacle;
    const authorization = request.headers.get('Authorization') ?? '';
    const { standing, takesPlain = false } = this.#options;
    if (standing !== undefined && authorization !== standing) {
      return { status: 401, headers: ['WWW-Authenticate: Negotiate', 'WWW-Authenticate: Basic realm="WSMAN"'] };
    }
    const [scheme = '', token = ''] = authorization.split(' ');
    if (token !== '' && standing === undefined) {
      const refusal = this.#authenticate(scheme, fromBase64(token) ?? NO_BYTES);
      if (refusal !== null) return refusal;
    }
    if (this.#keys === null && standing === undefined)
      return { status: 401, headers: ['WWW-Authenticate: Negotiate', 'WWW-Authenticate: NTLM'] };
    if (request.body.length === 0) return { status: 200 };
    const type = request.headers.get('Content-Type') ?? '';
    this.#wasPlain = takesPlain && type.startsWith('application/soap+xml');
    if (!this.#wasPlain && this.#keys === null) return { status: 400 };
    const xml = utf8Decode(
      this.#wasPlain || this.#keys === null ? request.body : unsealReply(this.#keys, type, request.body),
    );
    const root = parseXml(xml, (problem) => {
      throw new Error(problem);
    });
    const [header, body] = [childOf(root, NAMESPACES.s, 'Header'), childOf(root, NAMESPACES.s, 'Body')];
    if (header === null || body === null) return { status: 400 };
    const action = childOf(header, NAMESPACES.a, 'Action')?.text ?? '';
    const messageId = childOf(header, NAMESPACES.a, 'MessageID')?.text ?? '';
    const name = action.slice(action.lastIndexOf('/') + 1);
    return await this.#double.act({ connection: this.#number, name, messageId, body, xml });
  }

  /** [MS-NLMP] 3.2.5.1; null when the peer is authenticated. */
  #authenticate(scheme: string, token: Uint8Array): DoubleReply | null {
    if (token[8] === 1) {
      this.#challenge = concatBytes(latin1Encode('double'), Uint8Array.of(0, this.#number));
      const name = utf16leEncode('DOUBLE');
      const challenge = encodeChallenge({
        flags: CHALLENGE_FLAGS,
        targetName: 'DOUBLE',
        serverChallenge: this.#challenge,
        targetInfo: [
          { id: AV_ID.nbDomainName, value: name },
          { id: AV_ID.nbComputerName, value: name },
          { id: AV_ID.timestamp, value: new Uint8Array(8) },
        ],
        version: { major: 10, minor: 0, build: 17763 },
      });
      return { status: 401, headers: [`WWW-Authenticate: ${scheme} ${toBase64(challenge)}`] };
    }
    if (this.#challenge === null) return { status: 401, headers: [`WWW-Authenticate: ${scheme}`] };
    const message = decodeAuthenticate(token);
    const response = decodeNtlmv2Response(message.ntResponse);
    const hash = ntHash(this.#options.password ?? 'Passw0rd!');
    const key = ntowfV2(hash, message.user, message.domain);
    const proof = ntProof(key, this.#challenge, response.clientChallenge);
    if (!equalBytes(proof, response.proof)) return { status: 401, headers: [`WWW-Authenticate: ${scheme}`] };
    const exported = new Rc4(sessionBaseKey(key, proof)).apply(message.encryptedSessionKey);
    this.#keys = createNtlmSealing(exported, message.flags, 'server');
    this.#seen.handshakes++;
    this.#seen.binding = response.avPairs.find(({ id }) => id === AV_ID.channelBindings)?.value ?? null;
    return null;
  }

  #encode(reply: DoubleReply): Uint8Array {
    let body = typeof reply.body === 'string' ? utf8Encode(reply.body) : (reply.body ?? NO_BYTES);
    const lines = [`HTTP/1.1 ${reply.status} Reply`, ...(reply.headers ?? []), ...(this.#options.headers ?? [])];
    const { answersIn = this.#wasPlain ? 'plain' : 'sealed' } = this.#options;
    if (reply.isSealed && answersIn === 'plain') lines.push('Content-Type: application/soap+xml;charset=UTF-8');
    else if (reply.isSealed && this.#keys !== null) {
      const sealed = sealEnvelope(this.#keys, body);
      body = sealed.body;
      lines.push(`Content-Type: ${sealed.contentType}`);
    }
    if (reply.isLast) lines.push('Connection: close');
    lines.push(`Content-Length: ${body.length}`, '', '');
    return concatBytes(latin1Encode(lines.join('\r\n')), body);
  }
}

const CHALLENGE_FLAGS =
  (NTLM_FLAG.unicode |
    NTLM_FLAG.requestTarget |
    NTLM_FLAG.ntlm |
    NTLM_FLAG.targetInfo |
    NTLM_FLAG.version |
    NTLM_FLAG.sign |
    NTLM_FLAG.seal |
    NTLM_FLAG.alwaysSign |
    NTLM_FLAG.extendedSessionSecurity |
    NTLM_FLAG.key128 |
    NTLM_FLAG.keyExchange) >>>
  0;
