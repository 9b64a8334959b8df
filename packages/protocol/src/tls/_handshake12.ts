import { concatBytes, equalBytes, equalBytesConstantTime, NO_BYTES } from '../bytes/bytes.ts';
import { ByteReader } from '../bytes/cursor.ts';
import { makeKeyShare } from '../crypto/key-agreement.ts';
import { SIGNATURE_SCHEMES, verifySignature } from '../crypto/pubkey.ts';
import { failWith } from './_alerts.ts';
import { maySign, proveOurs } from './_client-auth.ts';
import { Connection12 } from './_connection12.ts';
import {
  type Connection,
  changeCipherSpec,
  type Greeting,
  type Handshake,
  judgement,
  message,
  type Setting,
} from './_handshake.ts';
import {
  type CertificateRequest,
  checkExtensions,
  decodeCertificate12,
  decodeCertificateRequest12,
  decodeServerKeyExchange,
  EXTENSIONS,
  encodeCertificate,
  encodeMessage,
  expectEmpty,
  illegal,
  MESSAGES,
  malformed,
  type ServerHello,
  type ServerKeyExchange,
  schemeOf,
} from './_messages.ts';
import { offeredSchemes } from './_offer.ts';
import { keySizes12, protect12 } from './_protection.ts';
import { groupOf, prf, type Suite } from './_suites.ts';
import { type Certificate, parseCertificate } from './x509.ts';

/** Bytes of the master secret, and of what Finished says. RFC 5246, sections 8.1 and 7.4.9. */
const MASTER_BYTES = 48;
const FINISHED_BYTES = 12;

/**
 * TLS 1.2 from the ServerHello on, the first time or inside a connection that `previous` describes. The signature in
 * ServerKeyExchange is over both Randoms and proves that the peer holds its key now; only then is it judged, and only then
 * does anything of ours leave.
 *
 * RFC 5246, section 7.3; RFC 8422; RFC 7627; RFC 5746
 */
export function* handshake12(
  setting: Setting,
  greeting: Greeting,
  previous: Connection12 | null,
  renegotiate: (previous: Connection12) => Handshake<Connection>,
): Handshake<Connection> {
  const { wire, random } = setting;
  const { suite, transcript, hello, answer } = greeting;
  const terms = readTerms(greeting, previous);

  const certificate = yield* message('Certificate');
  transcript.add(certificate.raw);
  const { chain } = decodeCertificate12(certificate.body);
  const [first] = chain;
  if (first === undefined) return malformed('the host sent no certificate');
  const leaf = parseCertificate(first);

  const keyExchange = yield* message('ServerKeyExchange');
  transcript.add(keyExchange.raw);
  const theirs = decodeServerKeyExchange(keyExchange.body);
  const randoms = concatBytes(hello.random, answer.random);
  checkProof(setting, suite, leaf, theirs, randoms);
  const group = groupOf(theirs.group) ?? illegal('the host chose a group that was not offered');
  const share = makeKeyShare(group, random);
  const premaster = share.agree(theirs.publicKey) ?? illegal("the host's key share is no key");
  share.destroy();

  let next = yield* message('CertificateRequest', 'ServerHelloDone');
  let request: CertificateRequest | null = null;
  if (next.type === MESSAGES.CertificateRequest) {
    request = decodeCertificateRequest12(next.body);
    setting.wasAskedForCertificate = true;
    transcript.add(next.raw);
    next = yield* message('ServerHelloDone');
  }
  expectEmpty('ServerHelloDone', next.body);
  transcript.add(next.raw);

  if (previous !== null && !equalBytes(previous.peer.certificate.der, leaf.der)) {
    // Whoever was trusted is not who asks now: the triple handshake ends here.
    failWith('bad_certificate', 'tls.bad-handshake', { problem: 'the host showed another certificate in midstream' });
  }
  const peer = previous?.peer ?? (yield* judgement(chain, leaf));

  const send = (raw: Uint8Array): void => {
    transcript.add(raw);
    wire.sendMessage(raw);
  };
  const { clientCertificate } = setting;
  if (request !== null) send(encodeCertificate(clientCertificate?.chain ?? [], null));
  send(encodeMessage('ClientKeyExchange', (w) => w.block(1, () => w.bytes(share.publicKey))));
  const master = terms.hasExtendedMasterSecret
    ? prf(suite.hash, premaster, 'extended master secret', transcript.hash(suite.hash), MASTER_BYTES)
    : prf(suite.hash, premaster, 'master secret', randoms, MASTER_BYTES);
  premaster.fill(0);
  if (request !== null && clientCertificate !== null) {
    send(proveOurs(clientCertificate, request, '1.2', transcript.bytes(), setting));
  }

  const keys = deriveKeys(setting, greeting, master, terms.isMacLast);
  const finish = (label: string) => prf(suite.hash, master, label, transcript.hash(suite.hash), FINISHED_BYTES);
  wire.sendCcs();
  wire.changeSealer(keys.client);
  const clientFinished = finish('client finished');
  send(encodeMessage('Finished', (w) => w.bytes(clientFinished)));

  yield* changeCipherSpec();
  wire.changeOpener(keys.server);
  const serverFinished = finish('server finished');
  const finished = yield* message('Finished');
  checkFinished(finished.body, serverFinished);
  master.fill(0);
  const renegotiationCount = previous === null ? 0 : previous.outcome.renegotiationCount + 1;
  const outcome = { ...terms, suite, group, peer, clientFinished, serverFinished, renegotiationCount, renegotiate };
  return new Connection12(setting, outcome);
}

interface Terms {
  readonly hasExtendedMasterSecret: boolean;
  readonly isMacLast: boolean;
  readonly isRenegotiationSafe: boolean;
}

/** What the extensions of the ServerHello agree to. */
function readTerms({ answer, suite }: Greeting, previous: Connection12 | null): Terms {
  const { extensions } = answer;
  checkExtensions(extensions, ANSWERS, 'ServerHello');
  for (const id of [EXTENSIONS.extendedMasterSecret, EXTENSIONS.encryptThenMac, EXTENSIONS.serverName]) {
    if ((extensions.get(id)?.length ?? 0) > 0) malformed(`extension ${id} has content`);
  }
  const hasExtendedMasterSecret = extensions.has(EXTENSIONS.extendedMasterSecret);
  if (previous?.outcome.hasExtendedMasterSecret === true && !hasExtendedMasterSecret) {
    failWith('handshake_failure', 'tls.bad-handshake', { problem: 'the host dropped the extended master secret' });
  }
  const isMacLast = extensions.has(EXTENSIONS.encryptThenMac);
  if (isMacLast && suite.mac === null) illegal('encrypt-then-MAC with a suite that has no MAC');
  if (previous?.outcome.isMacLast === true && !isMacLast && suite.mac !== null) {
    failWith('handshake_failure', 'tls.bad-handshake', { problem: 'the host dropped encrypt-then-MAC' }); // RFC 7366, 3.1
  }
  return { hasExtendedMasterSecret, isMacLast, isRenegotiationSafe: checkRenegotiation(answer, previous) };
}

const ANSWERS = [
  EXTENSIONS.serverName,
  EXTENSIONS.supportedGroups, // some servers answer it though they should not
  EXTENSIONS.ecPointFormats,
  EXTENSIONS.encryptThenMac,
  EXTENSIONS.extendedMasterSecret,
  EXTENSIONS.renegotiationInfo,
];

/** RFC 5746, sections 3.4 and 3.5: both ends name the handshake before, or that there was none. */
function checkRenegotiation({ extensions }: ServerHello, previous: Connection12 | null): boolean {
  const bytes = extensions.get(EXTENSIONS.renegotiationInfo);
  if (bytes === undefined && previous === null) return false;
  const { clientFinished, serverFinished } = previous?.outcome ?? {
    clientFinished: NO_BYTES,
    serverFinished: NO_BYTES,
  };
  const before = concatBytes(clientFinished, serverFinished);
  const expected = concatBytes(Uint8Array.of(before.length), before);
  if (bytes !== undefined && equalBytesConstantTime(bytes, expected)) return true;
  const problem = 'the host speaks of another handshake before this one';
  return failWith('handshake_failure', 'tls.bad-handshake', { problem });
}

/** RFC 5246, section 7.4.3, and RFC 8422, section 5.4. */
function checkProof(
  setting: Setting,
  suite: Suite,
  leaf: Certificate,
  theirs: ServerKeyExchange,
  randoms: Uint8Array,
): void {
  const scheme = schemeOf(theirs.scheme);
  if (scheme === null || !offeredSchemes(setting.allowLegacy).includes(theirs.scheme)) {
    illegal(`a signature of scheme 0x${theirs.scheme.toString(16)}, which was not offered`);
  }
  const isRsa = leaf.publicKey.kind === 'rsa';
  if (isRsa !== (suite.signer === 'rsa')) illegal(`a certificate that does not go with ${suite.name}`);
  const fits = maySign(scheme, leaf.publicKey, '1.2') && (SIGNATURE_SCHEMES[scheme].family !== 'ed25519' || !isRsa);
  if (!fits) illegal(`a signature of scheme ${scheme}, which this key cannot make`);
  const signed = concatBytes(randoms, theirs.params);
  if (verifySignature(leaf.publicKey, scheme, signed, theirs.signature, 'key')) return;
  failWith('decrypt_error', 'tls.bad-proof', { problem: 'its signature is wrong' });
}

/** RFC 5246, section 6.3. */
function deriveKeys(setting: Setting, { suite, hello, answer }: Greeting, master: Uint8Array, isMacLast: boolean) {
  const { macBytes, keyBytes, ivBytes } = keySizes12(suite);
  const seed = concatBytes(answer.random, hello.random);
  const block = prf(suite.hash, master, 'key expansion', seed, 2 * (macBytes + keyBytes + ivBytes));
  const reader = new ByteReader(block, malformed);
  const cut = (length: number): Uint8Array => reader.take(length).slice();
  const [clientMac, serverMac] = [cut(macBytes), cut(macBytes)];
  const [clientKey, serverKey] = [cut(keyBytes), cut(keyBytes)];
  const [clientIv, serverIv] = [cut(ivBytes), cut(ivBytes)];
  block.fill(0);
  const options = { isMacLast, random: setting.random, limit: setting.maxRecordsPerKey };
  return {
    client: protect12(suite, { macKey: clientMac, key: clientKey, iv: clientIv }, options),
    server: protect12(suite, { macKey: serverMac, key: serverKey, iv: serverIv }, options),
  };
}

function checkFinished(received: Uint8Array, expected: Uint8Array): void {
  if (received.length !== expected.length) malformed(`a Finished of ${received.length} bytes`);
  if (equalBytesConstantTime(received, expected)) return;
  failWith('decrypt_error', 'tls.bad-proof', { problem: 'its Finished does not fit what was said before' });
}
