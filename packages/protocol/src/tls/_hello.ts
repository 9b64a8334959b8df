import { equalBytes, latin1Encode, NO_BYTES } from '../bytes/bytes.ts';
import { ByteReader } from '../bytes/cursor.ts';
import { makeKeyShare } from '../crypto/key-agreement.ts';
import { failWith } from './_alerts.ts';
import type { Connection12 } from './_connection12.ts';
import { type Connection, type Handshake, message, type Setting, Transcript } from './_handshake.ts';
import { handshake12 } from './_handshake12.ts';
import { handshake13 } from './_handshake13.ts';
import {
  type ClientHello,
  checkExtensions,
  decodeServerHello,
  EXTENSIONS,
  encodeClientHello,
  illegal,
  malformed,
  RETRY_RANDOM,
  type ServerHello,
} from './_messages.ts';
import { makeOffer, type Offer, repeatOffer, VERSION_IDS } from './_offer.ts';
import { groupOf, SUITES, type Suite, type TlsVersion } from './_suites.ts';

/** The ends of a server's Random that say it could have done better. RFC 8446, section 4.1.3. */
const DOWNGRADE_TO_12 = latin1Encode('DOWNGRD\x01');
const DOWNGRADE_TO_11 = latin1Encode('DOWNGRD\x00');

/** ChangeCipherSpec records dropped in a handshake of TLS 1.3: a server sends one, after its first message. */
const TOLERATED_CCS = 2;

/**
 * A handshake from the ClientHello on. With `previous` it is a renegotiation inside that connection.
 *
 * RFC 8446, section 2; RFC 5246, section 7.3; RFC 5746
 * @throws tls.*
 */
export function* handshake(setting: Setting, previous: Connection12 | null): Handshake<Connection> {
  const versions = offeredVersions(setting, previous);
  const transcript = new Transcript();
  let offer = makeOffer({
    host: setting.host,
    versions,
    allowLegacy: setting.allowLegacy,
    hasClientCertificate: setting.clientCertificate !== null,
    previousFinished: previous?.outcome.clientFinished ?? NO_BYTES,
    random: setting.random,
  });
  send(setting, transcript, offer.hello);
  if (previous === null) setting.wire.leaveFirstRecord();
  let answer = yield* serverHello();
  const retry = isRetry(answer) ? answer : null;
  if (retry !== null) {
    transcript.foldFirstHello(checkSuite(retry, offer.hello, '1.3').hash);
    transcript.add(retry.raw);
    setting.wire.allowCcs(TOLERATED_CCS);
    offer = answerRetry(setting, offer, retry);
    send(setting, transcript, offer.hello);
    answer = yield* serverHello();
    if (isRetry(answer)) {
      const received = 'a second HelloRetryRequest';
      failWith('unexpected_message', 'tls.unexpected-message', { expected: 'ServerHello', received });
    }
  }
  transcript.add(answer.raw);
  const version = versionOf(answer, versions);
  const suite = checkSuite(answer, offer.hello, version);
  const greeting = { hello: offer.hello, answer, suite, transcript };
  if (version === '1.2') {
    if (retry !== null) illegal('the host changed its mind about the version');
    checkNoDowngrade(answer, versions);
    checkNoResumption(answer, offer.hello);
    const renegotiate = (current: Connection12) => handshake(setting, current);
    return yield* handshake12(setting, greeting, previous, renegotiate);
  }
  setting.wire.allowCcs(TOLERATED_CCS);
  if (retry !== null && retry.suite !== answer.suite) illegal('the host changed its mind about the cipher suite');
  checkEcho(answer, offer.hello);
  if (offer.share === null) return illegal('the host chose TLS 1.3, which was not offered');
  return yield* handshake13(setting, greeting, offer.share);
}

type RawServerHello = ServerHello & { readonly raw: Uint8Array };

function* serverHello(): Handshake<RawServerHello> {
  const { body, raw } = yield* message('ServerHello');
  return { ...decodeServerHello(body), raw };
}

function send(setting: Setting, transcript: Transcript, hello: ClientHello): void {
  const raw = encodeClientHello(hello);
  transcript.add(raw);
  setting.wire.sendMessage(raw);
}

/** A renegotiation stays with its version. */
function offeredVersions(setting: Setting, previous: Connection12 | null): TlsVersion[] {
  if (previous !== null) return ['1.2'];
  const all: TlsVersion[] = ['1.2', '1.3'];
  return all.filter((version) => version >= setting.minVersion && version <= setting.maxVersion);
}

function isRetry(answer: ServerHello): boolean {
  return equalBytes(answer.random, RETRY_RANDOM);
}

/** RFC 8446, section 4.1.4: what a HelloRetryRequest may ask for, and only what changes something. */
function answerRetry(setting: Setting, offer: Offer, retry: ServerHello): Offer {
  const { keyShare, cookie, supportedVersions } = EXTENSIONS;
  if (offer.share === null || versionOf(retry, ['1.2', '1.3']) !== '1.3') {
    illegal('a HelloRetryRequest without TLS 1.3');
  }
  checkExtensions(retry.extensions, [supportedVersions, keyShare, cookie], 'HelloRetryRequest');
  checkEcho(retry, offer.hello);
  const wanted = retry.extensions.get(keyShare);
  const cookieBytes = retry.extensions.get(cookie) ?? null;
  if (wanted === undefined && cookieBytes === null) illegal('a HelloRetryRequest that changes nothing');
  if (cookieBytes !== null) checkCookie(cookieBytes);
  if (wanted === undefined) return repeatOffer(offer, null, cookieBytes);
  const group = groupOf(readU16(wanted, 'key_share'));
  if (group === null) illegal('the host wants a group that was not offered');
  if (group === offer.share?.group) illegal('the host wants the group it was given');
  offer.share?.destroy();
  return repeatOffer(offer, makeKeyShare(group, setting.random), cookieBytes);
}

/** Cookies have a hundred bytes or so, and our ClientHello must hold it beside everything else. */
const MAX_COOKIE_BYTES = 16 * 1024;

function checkCookie(bytes: Uint8Array): void {
  if (bytes.length > MAX_COOKIE_BYTES) illegal(`a cookie of ${bytes.length} bytes`);
  const reader = new ByteReader(bytes, () => malformed('a cookie that ends early'));
  if (reader.take(reader.u16be()).length === 0 || reader.remaining > 0) malformed('a cookie of the wrong length');
}

function versionOf(answer: ServerHello, versions: readonly TlsVersion[]): TlsVersion {
  const selected = answer.extensions.get(EXTENSIONS.supportedVersions);
  if (selected === undefined) {
    if (answer.legacyVersion === VERSION_IDS['1.2'] && versions.includes('1.2')) return '1.2';
    return noCommonVersion(answer.legacyVersion);
  }
  if (answer.legacyVersion !== VERSION_IDS['1.2']) illegal('a ServerHello of two versions');
  const number = readU16(selected, 'supported_versions');
  if (number !== VERSION_IDS['1.3'] || !versions.includes('1.3')) {
    illegal(`the host chose version 0x${number.toString(16)}, which was not offered`);
  }
  return '1.3';
}

function noCommonVersion(number: number): never {
  const name = number >> 8 === 3 ? (OLD_VERSIONS[number & 255] ?? 'a version that was not offered') : 'no version';
  failWith('protocol_version', 'tls.no-common-suite', { received: name });
}

const OLD_VERSIONS = ['SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'TLS 1.2'];

function checkSuite(answer: ServerHello, hello: ClientHello, version: TlsVersion): Suite {
  const suite = SUITES.find(({ id }) => id === answer.suite);
  if (suite === undefined || !hello.suites.includes(suite.id) || suite.version !== version) {
    illegal(`the host chose cipher suite 0x${answer.suite.toString(16)}, which was not offered`);
  }
  return suite;
}

/** RFC 8446, section 4.1.3. */
function checkEcho(answer: ServerHello, hello: ClientHello): void {
  if (!equalBytes(answer.sessionId, hello.sessionId)) illegal('the host did not echo the session identifier');
}

/** RFC 5246, section 7.4.1.3: our identifier in a ServerHello of TLS 1.2 resumes a session, and we have none. */
function checkNoResumption(answer: ServerHello, hello: ClientHello): void {
  if (hello.sessionId.length > 0 && equalBytes(answer.sessionId, hello.sessionId)) {
    illegal('the host resumes a session that never was');
  }
}

/** RFC 8446, section 4.1.3: someone on the road made both sides believe the other cannot do better. */
function checkNoDowngrade(answer: ServerHello, versions: readonly TlsVersion[]): void {
  const end = answer.random.subarray(24);
  const isDowngraded = versions.includes('1.3') && equalBytes(end, DOWNGRADE_TO_12);
  if (isDowngraded || equalBytes(end, DOWNGRADE_TO_11)) illegal('something on the road talked both sides down');
}

function readU16(bytes: Uint8Array, name: string): number {
  if (bytes.length !== 2) malformed(`${name} of ${bytes.length} bytes`);
  return ((bytes[0] as number) << 8) | (bytes[1] as number);
}
