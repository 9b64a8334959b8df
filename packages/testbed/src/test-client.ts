import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { defaultPlatform } from '../../protocol/src/adapters/default-platform.ts';
import { nodeDialer, socketStream } from '../../protocol/src/adapters/node-socket.ts';
import { mechanismOf } from '../../protocol/src/auth/_mechanism.ts';
import { parseCredential } from '../../protocol/src/auth/credential.ts';
import { type NtlmOptions, ntlmExchange } from '../../protocol/src/auth/ntlm/ntlm.ts';
import { spnegoExchange } from '../../protocol/src/auth/spnego/spnego.ts';
import { utf8Decode, utf8Encode } from '../../protocol/src/bytes/bytes.ts';
import { fail } from '../../protocol/src/errors.ts';
import { HttpConnection } from '../../protocol/src/http/connection.ts';
import { converse } from '../../protocol/src/http/converse.ts';
import { Headers } from '../../protocol/src/http/headers.ts';
import type { HttpResponse } from '../../protocol/src/http/response.ts';
import { sealEnvelope, unsealReply } from '../../protocol/src/seal/seal.ts';
import type { Authenticator, AuthMechanism, SecurityContext } from '../../protocol/src/security.ts';
import { serverEndPoint } from '../../protocol/src/tls/end-point.ts';
import { parseCertificate } from '../../protocol/src/tls/x509.ts';
import { decodeEnvelope, encodeEnvelope, newGuid } from '../../protocol/src/wsman/envelope.ts';
import { decodeFault, failWithFault } from '../../protocol/src/wsman/fault.ts';
import {
  createShell,
  type Operation,
  type OutputChunk,
  receive,
  runCommand,
  send,
} from '../../protocol/src/wsman/operations.ts';
import type { TlsIdentity } from './certificate.ts';
import { SOAP_TYPE } from './sealed-body.ts';

/** How a client of a listener with TLS connects, and what it binds its logon to. */
export interface TestTls {
  /** Default right. */
  readonly binding?: 'right' | 'wrong' | 'none';
  readonly identity?: TlsIdentity;
  readonly options?: ConnectionOptions;
}

/** What a client speaks, and under which scheme. */
export type Dialect = 'negotiate' | 'negotiate-raw' | 'ntlm';

/** One connection of a test to a host, one envelope at a time; nothing of it retries or reconnects. */
export class TestClient {
  readonly #http: HttpConnection;
  readonly #binding: Uint8Array | null;
  #context: SecurityContext | null = null;
  /** Once set, envelopes go out plain; with this Authorization, or with none when it is null. */
  #plain: { readonly authorization: string | null } | null = null;
  /** Of a connection with TLS. */
  readonly tls: TLSSocket | null;

  /** Whom that connection's server says it is. */
  readonly certificate: X509Certificate | null;

  private constructor(
    http: HttpConnection,
    tls: TLSSocket | null = null,
    certificate: X509Certificate | null = null,
    binding: Uint8Array | null = null,
  ) {
    this.#http = http;
    this.tls = tls;
    this.certificate = certificate;
    this.#binding = binding;
  }

  /** Opens a connection and leaves it as it is. */
  static async connect(port: number): Promise<TestClient> {
    return new TestClient(new HttpConnection(await nodeDialer({ host: '127.0.0.1', port })));
  }

  /** Opens a connection with TLS and takes the server for whom it says it is. */
  static async connectSecurely(port: number, tls: TestTls = {}): Promise<TestClient> {
    const { identity, options } = tls;
    const own = identity === undefined ? {} : { cert: identity.certificate, key: identity.key };
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...own, ...options });
    await once(socket, 'secureConnect');
    // QUIRK: a client of Node 24.21 gets the certificate from this the first time it asks, and nothing after that.
    const shown = socket.getPeerX509Certificate() ?? null;
    const right = shown === null ? null : serverEndPoint(parseCertificate(new Uint8Array(shown.raw)));
    const bindings = { right, wrong: right?.toReversed() ?? null, none: null };
    return new TestClient(
      new HttpConnection(socketStream(socket, 'tls')),
      socket,
      shown,
      bindings[tls.binding ?? 'right'],
    );
  }

  /** Opens a connection and signs in. */
  static async open(port: number, user: string, password: string, policy?: Dialect): Promise<TestClient> {
    const client = await TestClient.connect(port);
    await client.signIn(user, password, policy);
    return client;
  }

  /** Whether the connection may be used again. */
  get isUsable(): boolean {
    return this.#http.isUsable;
  }

  async signIn(user: string, password: string, policy: Dialect = 'negotiate'): Promise<void> {
    const mechanism = mechanismFor(policy, {
      credential: parseCredential(user, password),
      spn: 'http/127.0.0.1',
      workstation: 'TEST',
      binding: this.#binding,
      platform: defaultPlatform,
    });
    const authenticator: Authenticator = {
      party: 'server',
      beginOptimistic: () => mechanism,
      begin: (offered) =>
        fail('auth.no-common-mechanism', { offered: offered.map(({ scheme }) => scheme).join(), wanted: policy }),
    };
    const { context } = await converse({
      connection: this.#http,
      authenticator,
      request: (authorization) =>
        post(authorization === null ? [] : [['Authorization', authorization]], utf8Encode('')),
      lastBody: null,
      platform: defaultPlatform,
      legTimeoutMs: 10_000,
    });
    this.#context = context;
  }

  /** Sends a body as it is. */
  raw(body: Uint8Array, headers: readonly (readonly [string, string])[] = []): Promise<HttpResponse> {
    return this.#http.exchange(post(headers, body), { replyWithinMs: 15_000, platform: defaultPlatform });
  }

  /** From now on envelopes are sent as they are. */
  speakPlainly(authorization: string | null = null): void {
    this.#plain = { authorization };
  }

  /** Sends an envelope as it is. */
  async plain(envelope: string): Promise<{ status: number; contentType: string; text: string }> {
    const authorization = this.#plain?.authorization ?? null;
    const headers = authorization === null ? [] : [['Authorization', authorization] as const];
    const reply = await this.raw(utf8Encode(envelope), [['Content-Type', SOAP_TYPE], ...headers]);
    const contentType = reply.headers.get('content-type') ?? '';
    return { status: reply.status, contentType, text: utf8Decode(reply.body) };
  }

  /** Seals an envelope, and opens the answer if it is sealed. */
  async sealed(envelope: string): Promise<{ status: number; contentType: string; text: string }> {
    if (this.#context === null) throw new Error('not signed in');
    const { contentType, body } = sealEnvelope(this.#context, utf8Encode(envelope));
    const reply = await this.raw(body, [['Content-Type', contentType]]);
    const type = reply.headers.get('content-type') ?? '';
    const plain = type.startsWith('multipart/') ? unsealReply(this.#context, type, reply.body) : reply.body;
    return { status: reply.status, contentType: type, text: utf8Decode(plain) };
  }

  /** Performs one operation; a fault becomes its error. */
  async ask<Reply>(operation: Operation<Reply>, timeoutSeconds = 10): Promise<Reply> {
    const envelope = encodeEnvelope(
      {
        to: 'http://127.0.0.1/wsman',
        action: operation.action,
        resourceUri: operation.resourceUri,
        messageId: `uuid:${newGuid((length) => defaultPlatform.random(length))}`,
        sessionId: `uuid:${newGuid((length) => defaultPlatform.random(length))}`,
        operationTimeoutSeconds: timeoutSeconds,
        selectors: operation.selectors,
        options: operation.options,
      },
      operation.body,
    );
    const { body } = decodeEnvelope((await (this.#plain === null ? this.sealed(envelope) : this.plain(envelope))).text);
    const fault = decodeFault(body);
    if (fault !== null) failWithFault(fault, { timeoutSeconds, requestBytes: envelope.length, limitBytes: 0 });
    return operation.read(body);
  }

  close(): void {
    this.#http.close();
  }

  /** Opens a shell with what most tests want. */
  openShell(environment: Record<string, string> = {}, workingDirectory: string | null = null): Promise<string> {
    const options = { codePage: 65001, noProfile: true, workingDirectory, environment, idleTimeoutSeconds: 900 };
    return this.ask(createShell(options));
  }

  start(shell: string, line: string): Promise<string> {
    return this.ask(runCommand(shell, line, { hasConsoleStdin: false }));
  }

  type(shell: string, command: string, text: string): Promise<void> {
    return this.ask(send(shell, command, utf8Encode(text), false));
  }

  /** Receives until the command has ended. */
  async finish(shell: string, command: string): Promise<{ stdout: string; stderr: string; exitCode: number }> {
    const chunks: OutputChunk[] = [];
    for (;;) {
      const reply = await this.ask(receive(shell, command));
      chunks.push(...reply.chunks);
      if (reply.exitCode !== null) return { ...texts(chunks), exitCode: reply.exitCode };
    }
  }

  /** Receives until the output so far ends with this text. */
  async until(shell: string, command: string, end: string): Promise<string> {
    const chunks: OutputChunk[] = [];
    while (!texts(chunks).stdout.endsWith(end)) chunks.push(...(await this.ask(receive(shell, command))).chunks);
    return texts(chunks).stdout;
  }

  async run(line: string): Promise<{ stdout: string; stderr: string; exitCode: number }> {
    const shell = await this.openShell();
    return this.finish(shell, await this.start(shell, line));
  }
}

function mechanismFor(policy: Dialect, options: NtlmOptions): AuthMechanism {
  if (policy === 'negotiate') return mechanismOf('Negotiate', spnegoExchange(options));
  return mechanismOf(policy === 'ntlm' ? 'NTLM' : 'Negotiate', ntlmExchange(options));
}

function post(headers: readonly (readonly [string, string])[], body: Uint8Array) {
  return { method: 'POST', target: '/wsman', headers: new Headers([['Host', '127.0.0.1'], ...headers]), body };
}

function texts(chunks: readonly OutputChunk[]): { stdout: string; stderr: string } {
  const text = (stream: string): string =>
    utf8Decode(Buffer.concat(chunks.filter((chunk) => chunk.stream === stream).map((chunk) => chunk.bytes)));
  return { stdout: text('stdout'), stderr: text('stderr') };
}
