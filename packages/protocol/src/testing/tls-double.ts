import { concatBytes, equalBytes, NO_BYTES } from '../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../bytes/cursor.ts';
import { type GroupName, makeKeyShare } from '../crypto/key-agreement.ts';
import { type SignatureScheme, verifySignature } from '../crypto/pubkey.ts';
import { maySign, signedContent } from '../tls/_client-auth.ts';
import { type ClientCertificate, Transcript } from '../tls/_handshake.ts';
import {
  decodeCertificate12,
  decodeCertificate13,
  decodeCertificateVerify,
  EXTENSIONS,
  type Extensions,
  encodeCertificate,
  encodeCertificateVerify,
  encodeMessage,
  MESSAGES,
  type MessageName,
  messageName,
  RETRY_RANDOM,
  SCHEME_IDS,
  schemeOf,
} from '../tls/_messages.ts';
import { keySizes12, nextSecret, protect12, protect13 } from '../tls/_protection.ts';
import type { HandshakeMessage } from '../tls/_record.ts';
import { finished13, GROUP_IDS, KeySchedule, prf, type SecretPair, SUITES, type Suite } from '../tls/_suites.ts';
import { Wire } from '../tls/_wire.ts';
import { parseCertificate } from '../tls/x509.ts';
import {
  certificateRequest12,
  certificateRequest13,
  clientShare,
  type ReceivedHello,
  readClientHello,
  serverHello,
  short,
  u16,
} from './tls-double-messages.ts';

/**
 * The server's side of the TLS handshake. It is the mirror of the engine, says what a script wants it to say, and checks
 * what the client says. What it does not like it throws as a bare Error, because it is the test that is wrong then.
 */

/** How a server double behaves. */
export interface ServerScript {
  readonly suite: string;
  readonly identity: ClientCertificate;
  readonly random: (length: number) => Uint8Array;
  readonly group?: GroupName;
  /** Asks for another group first. */
  readonly retry?: boolean;
  readonly cookie?: Uint8Array;
  readonly asksCertificate?: boolean;
  /** The scheme it signs with; the first that fits unless given. */
  readonly scheme?: SignatureScheme;
  readonly hasExtendedMasterSecret?: boolean;
  readonly isMacLast?: boolean;
  readonly knowsRenegotiation?: boolean;
  readonly serverRandom?: Uint8Array;
  /** Changes a message before it goes, and into the transcript; null leaves it out. */
  readonly alter?: (name: string, raw: Uint8Array) => Uint8Array | null;
  /** Signs this instead of what it should. */
  readonly signs?: (content: Uint8Array) => Uint8Array;
}

type Script = Generator<null, void, HandshakeMessage | null>;

/** A TLS server that follows a script. */
export class ServerDouble {
  readonly wire = new Wire();
  /** Data the client sent. */
  received: Uint8Array = NO_BYTES;
  /** Alerts the client sent, as [level, number]. */
  readonly alerts: [number, number][] = [];
  /** The client's certificates, once proved; empty when it sent none; null when it was not asked. */
  clientChain: readonly Uint8Array[] | null = null;
  hello: ReceivedHello | null = null;
  isOpen = false;
  traffic: SecretPair | null = null;
  readonly #script: ServerScript;
  readonly #suite: Suite;
  #transcript = new Transcript();
  #running: Script | null;
  #waits: 'message' | 'change-cipher-spec' = 'message';
  #finished: SecretPair = { client: NO_BYTES, server: NO_BYTES };

  constructor(script: ServerScript) {
    this.#script = script;
    const suite = SUITES.find(({ name }) => name === script.suite);
    if (suite === undefined) throw new Error(`no suite ${script.suite}`);
    this.#suite = suite;
    this.#running = suite.version === '1.3' ? this.#serve13() : this.#serve12(script.asksCertificate ?? false);
    this.#running.next();
  }

  /** Takes what the client sent and goes on as far as it can. */
  feed(bytes: Uint8Array): void {
    this.wire.feed(bytes);
    for (;;) {
      const incoming = this.wire.pull();
      if (incoming === 'need-bytes') return;
      if (incoming.kind === 'alert') this.alerts.push([incoming.level, incoming.alert]);
      else if (incoming.kind === 'data') this.received = concatBytes(this.received, incoming.bytes);
      else if (incoming.kind === 'change-cipher-spec') this.#go('change-cipher-spec', null);
      else if (this.#running !== null) this.#go('message', incoming.message);
      else this.#takeLate(incoming.message);
    }
  }

  /** What it says. */
  takeOutput(): Uint8Array {
    return this.wire.takeOutput() ?? NO_BYTES;
  }

  /** Sends a handshake message outside the script; it is in no transcript. */
  say(raw: Uint8Array): void {
    this.wire.sendMessage(raw);
  }

  /** TLS 1.2: asks for another handshake, and in it for a certificate. */
  renegotiate(options: { asksCertificate: boolean }): void {
    this.say(encodeMessage('HelloRequest', () => undefined));
    this.#transcript = new Transcript();
    this.isOpen = false;
    this.#running = this.#serve12(options.asksCertificate);
    this.#running.next();
  }

  /** TLS 1.3: changes its key, and wants the client to as well. */
  updateKey(wantsTheirs: boolean): void {
    if (this.traffic === null) throw new Error('no keys yet');
    this.say(encodeMessage('KeyUpdate', (w) => w.u8(wantsTheirs ? 1 : 0)));
    this.traffic = { ...this.traffic, server: nextSecret(this.#suite, this.traffic.server) };
    this.wire.changeSealer(protect13(this.#suite, this.traffic.server));
  }

  /** TLS 1.3: asks for a certificate after the handshake. */
  askLate(context: Uint8Array): void {
    if (this.traffic === null) throw new Error('no keys yet');
    this.#transcript = this.#transcript.fork();
    this.#send('CertificateRequest', certificateRequest13(context));
    this.#running = this.#readClient13(this.traffic.client, true);
    this.#running.next();
  }

  #go(got: 'message' | 'change-cipher-spec', message: HandshakeMessage | null): void {
    if (this.#running === null || this.#waits !== got) throw new Error(`${got} came, ${this.#waits} was due`);
    if (this.#running.next(message).done === true) {
      this.#running = null;
      this.isOpen = true;
    }
  }

  #takeLate({ type, body }: HandshakeMessage): void {
    if (type !== MESSAGES.KeyUpdate || this.traffic === null) throw new Error(`${messageName(type)} came late`);
    if (body[0] !== 0) throw new Error('the client wants a key of ours changed');
    this.traffic = { ...this.traffic, client: nextSecret(this.#suite, this.traffic.client) };
    this.wire.changeOpener(protect13(this.#suite, this.traffic.client));
  }

  *#expect(name: MessageName): Generator<null, HandshakeMessage, HandshakeMessage | null> {
    this.#waits = 'message';
    const message = yield null;
    if (message === null || message.type !== MESSAGES[name]) {
      throw new Error(`${message === null ? 'nothing' : messageName(message.type)} came, ${name} was due`);
    }
    return message;
  }

  *#expectHello(): Generator<null, ReceivedHello, HandshakeMessage | null> {
    const { body, raw } = yield* this.#expect('ClientHello');
    this.#transcript.add(raw);
    this.hello = readClientHello(body);
    return this.hello;
  }

  #send(name: string, raw: Uint8Array): void {
    const altered = this.#script.alter === undefined ? raw : this.#script.alter(name, raw);
    if (altered === null) return;
    this.#transcript.add(altered);
    this.wire.sendMessage(altered);
  }

  #hash(): Uint8Array {
    return this.#transcript.hash(this.#suite.hash);
  }

  /** The scheme and the signature over some content. */
  #sign(content: Uint8Array): { scheme: number; signature: Uint8Array } {
    const { identity, scheme, signs, random } = this.#script;
    const { version } = this.#suite;
    const fitting = [...SCHEME_IDS.keys()].find((name) => maySign(name, identity.key.publicKey, version));
    const chosen = scheme ?? fitting ?? 'rsa_pkcs1_sha256';
    const signature = identity.key.sign(chosen, signs?.(content) ?? content, random);
    return { scheme: SCHEME_IDS.get(chosen) ?? 0, signature };
  }

  *#serve13(): Script {
    const { random, identity, group = 'x25519', retry, cookie, asksCertificate } = this.#script;
    let hello = yield* this.#expectHello();
    this.wire.leaveFirstRecord();
    if (retry === true || cookie !== undefined) {
      this.#transcript.foldFirstHello(this.#suite.hash);
      const extensions: [number, Uint8Array][] = [[EXTENSIONS.supportedVersions, Uint8Array.of(3, 4)]];
      if (retry === true) extensions.push([EXTENSIONS.keyShare, u16(GROUP_IDS.get(group) ?? 0)]);
      if (cookie !== undefined) extensions.push([EXTENSIONS.cookie, cookie]);
      this.#send('HelloRetryRequest', serverHello(RETRY_RANDOM, hello.sessionId, this.#suite.id, extensions));
      this.wire.sendCompatibilityCcs();
      hello = yield* this.#expectHello();
    }
    const share = makeKeyShare(group, random);
    const theirs = clientShare(hello.extensions, group);
    const shared = share.agree(theirs) ?? NO_BYTES;
    const keyShare = new ByteWriter().u16be(GROUP_IDS.get(group) ?? 0).block(2, (w) => w.bytes(share.publicKey));
    const answer: [number, Uint8Array][] = [
      [EXTENSIONS.supportedVersions, Uint8Array.of(3, 4)],
      [EXTENSIONS.keyShare, keyShare.finish()],
    ];
    const ourRandom = this.#script.serverRandom ?? random(32);
    this.#send('ServerHello', serverHello(ourRandom, hello.sessionId, this.#suite.id, answer));
    this.wire.sendCompatibilityCcs();
    const schedule = new KeySchedule(this.#suite.hash);
    const secrets = schedule.toHandshake(shared, this.#hash());
    this.wire.changeSealer(protect13(this.#suite, secrets.server));
    this.#send(
      'EncryptedExtensions',
      encodeMessage('EncryptedExtensions', (w) => w.u16be(0)),
    );
    if (asksCertificate === true) this.#send('CertificateRequest', certificateRequest13(NO_BYTES));
    this.#send('Certificate', encodeCertificate(identity.chain, NO_BYTES));
    const { scheme, signature } = this.#sign(signedContent('server', this.#hash()));
    this.#send('CertificateVerify', encodeCertificateVerify(scheme, signature));
    const verifyData = finished13(this.#suite.hash, secrets.server, this.#hash());
    this.#send(
      'Finished',
      encodeMessage('Finished', (w) => w.bytes(verifyData)),
    );
    this.traffic = schedule.toApplication(this.#hash());
    this.wire.changeSealer(protect13(this.#suite, this.traffic.server));
    this.wire.allowCcs(2);
    this.wire.changeOpener(protect13(this.#suite, secrets.client));
    yield* this.#readClient13(secrets.client, asksCertificate === true);
    this.wire.changeOpener(protect13(this.#suite, this.traffic.client));
  }

  *#readClient13(baseKey: Uint8Array, wasAsked: boolean): Script {
    if (wasAsked) {
      const certificate = yield* this.#expect('Certificate');
      this.#transcript.add(certificate.raw);
      const { chain } = decodeCertificate13(certificate.body);
      if (chain[0] !== undefined) {
        const verify = yield* this.#expect('CertificateVerify');
        this.#checkClient(chain[0], verify.body, signedContent('client', this.#hash()));
        this.#transcript.add(verify.raw);
      }
      this.clientChain = chain;
    }
    const expected = finished13(this.#suite.hash, baseKey, this.#hash());
    const finished = yield* this.#expect('Finished');
    if (!equalBytes(finished.body, expected)) throw new Error('the client has another transcript');
    this.#transcript.add(finished.raw);
  }

  #checkClient(der: Uint8Array, body: Uint8Array, signed: Uint8Array): void {
    const verify = decodeCertificateVerify(body);
    const scheme = schemeOf(verify.scheme);
    const key = parseCertificate(der).publicKey;
    const { version } = this.#suite;
    const isGood = scheme !== null && maySign(scheme, key, version);
    if (!isGood || !verifySignature(key, scheme, signed, verify.signature, version === '1.2' ? 'key' : 'scheme')) {
      throw new Error('the client did not prove its certificate');
    }
  }

  *#serve12(asksCertificate: boolean): Script {
    const { random, identity, group = 'x25519' } = this.#script;
    const hello = yield* this.#expectHello();
    if (!this.isOpen && this.#finished.client.length === 0) this.wire.leaveFirstRecord();
    const ourRandom = this.#script.serverRandom ?? random(32);
    this.#send('ServerHello', serverHello(ourRandom, NO_BYTES, this.#suite.id, this.#answer12(hello.extensions)));
    this.#send('Certificate', encodeCertificate(identity.chain, null));
    const share = makeKeyShare(group, random);
    const params = new ByteWriter()
      .u8(3)
      .u16be(GROUP_IDS.get(group) ?? 0)
      .block(1, (w) => w.bytes(share.publicKey))
      .finish();
    const randoms = concatBytes(hello.random, ourRandom);
    const { scheme, signature } = this.#sign(concatBytes(randoms, params));
    const keyExchange = encodeMessage('ServerKeyExchange', (w) => {
      w.bytes(params)
        .u16be(scheme)
        .block(2, () => w.bytes(signature));
    });
    this.#send('ServerKeyExchange', keyExchange);
    if (asksCertificate) this.#send('CertificateRequest', certificateRequest12());
    this.#send(
      'ServerHelloDone',
      encodeMessage('ServerHelloDone', () => undefined),
    );

    let chain: readonly Uint8Array[] | null = null;
    if (asksCertificate) {
      const certificate = yield* this.#expect('Certificate');
      this.#transcript.add(certificate.raw);
      chain = decodeCertificate12(certificate.body).chain;
    }
    const clientKey = yield* this.#expect('ClientKeyExchange');
    this.#transcript.add(clientKey.raw);
    const premaster = share.agree(clientKey.body.subarray(1)) ?? NO_BYTES;
    const hasExtended = this.#script.hasExtendedMasterSecret !== false;
    const [label, seed] = hasExtended ? ['extended master secret', this.#hash()] : ['master secret', randoms];
    const master = prf(this.#suite.hash, premaster, label as string, seed as Uint8Array, 48);
    if (chain?.[0] !== undefined) {
      const verify = yield* this.#expect('CertificateVerify');
      this.#checkClient(chain[0], verify.body, this.#transcript.bytes());
      this.#transcript.add(verify.raw);
    }
    this.clientChain = chain;
    const keys = this.#keys12(master, concatBytes(ourRandom, hello.random));
    this.#waits = 'change-cipher-spec';
    yield null;
    this.wire.changeOpener(keys.client);
    const client = prf(this.#suite.hash, master, 'client finished', this.#hash(), 12);
    const finished = yield* this.#expect('Finished');
    if (!equalBytes(finished.body, client)) throw new Error('the client has another transcript');
    this.#transcript.add(finished.raw);
    this.wire.sendCcs();
    this.wire.changeSealer(keys.server);
    const server = prf(this.#suite.hash, master, 'server finished', this.#hash(), 12);
    this.#send(
      'Finished',
      encodeMessage('Finished', (w) => w.bytes(server)),
    );
    this.#finished = { client, server };
  }

  #answer12(offered: Extensions): [number, Uint8Array][] {
    const { hasExtendedMasterSecret, isMacLast, knowsRenegotiation } = this.#script;
    const answer: [number, Uint8Array][] = [];
    if (hasExtendedMasterSecret !== false) answer.push([EXTENSIONS.extendedMasterSecret, NO_BYTES]);
    if (isMacLast === true) answer.push([EXTENSIONS.encryptThenMac, NO_BYTES]);
    if (knowsRenegotiation === false) return answer;
    const theirs = offered.get(EXTENSIONS.renegotiationInfo)?.subarray(1) ?? NO_BYTES;
    if (!equalBytes(theirs, this.#finished.client)) throw new Error('the client speaks of another handshake');
    const both = concatBytes(this.#finished.client, this.#finished.server);
    answer.push([EXTENSIONS.renegotiationInfo, concatBytes(Uint8Array.of(both.length), both)]);
    return answer;
  }

  #keys12(master: Uint8Array, seed: Uint8Array) {
    const { macBytes, keyBytes, ivBytes } = keySizes12(this.#suite);
    const block = prf(this.#suite.hash, master, 'key expansion', seed, 2 * (macBytes + keyBytes + ivBytes));
    const reader = new ByteReader(block, short);
    const pair = (length: number) => [reader.take(length).slice(), reader.take(length).slice()] as const;
    const [macs, keys, ivs] = [pair(macBytes), pair(keyBytes), pair(ivBytes)];
    const options = { isMacLast: this.#script.isMacLast ?? false, random: this.#script.random };
    return {
      client: protect12(this.#suite, { macKey: macs[0], key: keys[0], iv: ivs[0] }, options),
      server: protect12(this.#suite, { macKey: macs[1], key: keys[1], iv: ivs[1] }, options),
    };
  }
}
