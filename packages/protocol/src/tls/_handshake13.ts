import { equalBytesConstantTime } from '../bytes/bytes.ts';
import type { KeyShare } from '../crypto/key-agreement.ts';
import { verifySignature } from '../crypto/pubkey.ts';
import { failWith } from './_alerts.ts';
import { maySign, signedContent, signOff13 } from './_client-auth.ts';
import { Connection13 } from './_connection13.ts';
import { type Connection, type Greeting, type Handshake, judgement, message, type Setting } from './_handshake.ts';
import {
  type CertificateRequest,
  type ClientHello,
  checkExtensions,
  decodeCertificate13,
  decodeCertificateRequest13,
  decodeCertificateVerify,
  decodeEncryptedExtensions,
  decodeKeyShare,
  EXTENSIONS,
  illegal,
  MESSAGES,
  malformed,
  type ServerHello,
  schemeOf,
} from './_messages.ts';
import { protect13 } from './_protection.ts';
import type { HandshakeMessage } from './_record.ts';
import { finished13, groupOf, KeySchedule } from './_suites.ts';
import { type Certificate, parseCertificate } from './x509.ts';

/**
 * TLS 1.3 from the ServerHello on. The server's whole flight is checked, its proof and its Finished included, before the
 * peer is judged; until it is trusted nothing of ours leaves.
 *
 * RFC 8446, section 2
 */
export function* handshake13(setting: Setting, greeting: Greeting, share: KeyShare): Handshake<Connection> {
  const { wire } = setting;
  const { suite, transcript } = greeting;
  const protect = (secret: Uint8Array) => protect13(suite, secret, setting.maxRecordsPerKey);
  const schedule = new KeySchedule(suite.hash);
  const secrets = schedule.toHandshake(agree(greeting.answer, share), transcript.hash(suite.hash));
  wire.changeOpener(protect(secrets.server));
  wire.changeSealer(protect(secrets.client));

  const extensions = yield* message('EncryptedExtensions');
  checkEncryptedExtensions(extensions.body, greeting.hello);
  transcript.add(extensions.raw);

  let next = yield* message('CertificateRequest', 'Certificate');
  let request: CertificateRequest | null = null;
  if (next.type === MESSAGES.CertificateRequest) {
    request = decodeCertificateRequest13(next.body);
    if (request.context.length > 0) illegal('a CertificateRequest of the handshake with a context');
    setting.wasAskedForCertificate = true;
    transcript.add(next.raw);
    next = yield* message('Certificate');
  }
  const { context, chain } = decodeCertificate13(next.body);
  if (context.length > 0) illegal("the host's Certificate has a context");
  const [first] = chain;
  if (first === undefined) return malformed('the host sent no certificate');
  const leaf = parseCertificate(first);
  transcript.add(next.raw);

  const proof = yield* message('CertificateVerify');
  checkProof(leaf, proof, greeting);
  transcript.add(proof.raw);

  const finished = yield* message('Finished');
  checkFinished(finished.body, finished13(suite.hash, secrets.server, transcript.hash(suite.hash)));
  transcript.add(finished.raw);
  wire.allowCcs(0);
  const traffic = schedule.toApplication(transcript.hash(suite.hash));
  wire.changeOpener(protect(traffic.server));

  const peer = yield* judgement(chain, leaf);
  wire.sendCompatibilityCcs();
  signOff13(setting, { suite, transcript, baseKey: secrets.client, request });
  wire.changeSealer(protect(traffic.client));
  return new Connection13(setting, { suite, transcript, traffic, peer, group: share.group });
}

/** RFC 8446, section 4.2.8, and 7.4 for the shared secret. */
function agree(answer: ServerHello, share: KeyShare): Uint8Array {
  checkExtensions(answer.extensions, [EXTENSIONS.supportedVersions, EXTENSIONS.keyShare], 'ServerHello');
  const bytes = answer.extensions.get(EXTENSIONS.keyShare);
  if (bytes === undefined) {
    failWith('missing_extension', 'tls.bad-handshake', { problem: 'the host sent no key share' });
  }
  const { group, publicKey } = decodeKeyShare(bytes);
  if (groupOf(group) !== share.group) illegal('the host answers in another group than the one it was given');
  const shared = share.agree(publicKey) ?? illegal("the host's key share is no key");
  share.destroy();
  return shared;
}

/** RFC 8446, section 4.3.1. We offer nothing that is answered here but with a nod. */
function checkEncryptedExtensions(body: Uint8Array, hello: ClientHello): void {
  const extensions = decodeEncryptedExtensions(body);
  for (const id of extensions.keys()) {
    if (id === EXTENSIONS.serverName || id === EXTENSIONS.supportedGroups) continue;
    const wasOffered = hello.extensions.some(([offered]) => offered === id);
    if (wasOffered) illegal(`extension ${id} in EncryptedExtensions`);
  }
  checkExtensions(
    extensions,
    hello.extensions.map(([id]) => id),
    'EncryptedExtensions',
  );
}

/** RFC 8446, section 4.4.3. */
function checkProof(leaf: Certificate, { body }: HandshakeMessage, { suite, transcript }: Greeting): void {
  const { scheme: id, signature } = decodeCertificateVerify(body);
  const scheme = schemeOf(id);
  if (scheme === null) illegal(`a signature of scheme 0x${id.toString(16)}, which was not offered`);
  if (!maySign(scheme, leaf.publicKey, '1.3')) illegal(`a signature of scheme ${scheme}, which this key cannot make`);
  const signed = signedContent('server', transcript.hash(suite.hash));
  if (verifySignature(leaf.publicKey, scheme, signed, signature)) return;
  failWith('decrypt_error', 'tls.bad-proof', { problem: 'its signature is wrong' });
}

function checkFinished(received: Uint8Array, expected: Uint8Array): void {
  if (received.length !== expected.length) malformed(`a Finished of ${received.length} bytes`);
  if (equalBytesConstantTime(received, expected)) return;
  failWith('decrypt_error', 'tls.bad-proof', { problem: 'its Finished does not fit what was said before' });
}
