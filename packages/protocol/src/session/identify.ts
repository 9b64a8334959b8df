import { latin1Encode, NO_BYTES, utf8Decode } from '../bytes/bytes.ts';
import type { ByteStream } from '../bytes/stream.ts';
import { fail, isWinRmError } from '../errors.ts';
import { parseChallenges } from '../http/challenge.ts';
import { HttpConnection } from '../http/connection.ts';
import { readableLine, readableText } from '../http/evidence.ts';
import { Headers } from '../http/headers.ts';
import type { HttpRequest } from '../http/request.ts';
import type { HttpResponse } from '../http/response.ts';
import type { Journal } from '../journal.ts';
import type { HopReport, OpenedRoad, RoadOpener } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import { decodeEnvelope, encodeIdentify } from '../wsman/envelope.ts';
import { type Identity, readIdentity } from '../wsman/operations.ts';
import { FirstWords, withFalseTunnel } from './_first-words.ts';
import { openSecuredRoad } from './_secure-road.ts';
import { TrustDecision } from './_trust-decision.ts';
import { VersionChoice } from './_version-choice.ts';
import type { TrustOptions } from './first-contact.ts';
import { checkTarget, type Target, targetAuthority } from './target.ts';

/** What identifying needs: no credential. For an https target somebody must vouch for the host all the same. */
export interface IdentifyOptions {
  readonly target: Target;
  readonly openRoad: RoadOpener;
  readonly platform: Platform;
  /** For https targets. Without it no host is trusted and nobody is asked. */
  readonly trust?: TrustOptions;
  /** As in `SessionOptions`. */
  readonly allowLegacyTls?: boolean;
  /** Where the TLS of an https target is recorded. */
  readonly journal?: Journal;
  readonly onHop?: (report: HopReport) => void;
  readonly signal?: AbortSignal;
}

/** A server that answers at all answers this at once. */
const IDENTIFY_TIMEOUT_MS = 15_000;

/** What answers, as far as it says to a stranger: fit for a hint and for nothing else. */
export interface Stranger {
  /** The sign-ins it offers, in its order; empty where it answered without asking for one. */
  readonly offered: readonly string[];
  /** Its own name for its HTTP software; "" when it says none. */
  readonly server: string;
  /** Vendor and versions; null over http, where they are not asked for. */
  readonly identity: Identity | null;
}

/**
 * Asks what answers, without signing in. Inside TLS it asks with Identify (DMTF DSP0226, section 11). Over http no SOAP
 * leaves that is not sealed, on no road (the seed's rule R28): an empty request shows whether a sign-in is offered there.
 *
 * @throws wsman.not-wsman, http.unexpected-status when the server tells strangers nothing, proxy.false-tunnel and
 *   proxy.foreign-page when something on the road may have spoken in its place, tls.* and what the road throws
 */
export async function identify(options: IdentifyOptions): Promise<Stranger> {
  const { target, openRoad } = options;
  checkTarget(target);
  const signal = options.signal ?? new AbortController().signal;
  const hops: HopReport[] = [];
  const words = new FirstWords();
  const onHop = (report: HopReport): void => {
    hops.push(report);
    options.onHop?.(report);
  };
  const open = async (): Promise<OpenedRoad> => {
    const road = await openRoad('control', onHop, signal);
    return { ...road, stream: overheard(road.stream, words) };
  };
  return await ask(options, open, signal).catch((error: unknown) => {
    throw withFalseTunnel(error, hops, words);
  });
}

async function ask(options: IdentifyOptions, open: () => Promise<OpenedRoad>, signal: AbortSignal): Promise<Stranger> {
  const { target, platform } = options;
  const isSecured = target.scheme === 'https';
  const road = isSecured ? await openSecured(open, options, signal) : await open();
  const connection = new HttpConnection(road.stream);
  try {
    const response = await connection.exchange(isSecured ? question(target) : knock(target, road.form), {
      ...{ replyWithinMs: IDENTIFY_TIMEOUT_MS, platform, signal, at: 'Identify' },
    });
    return isSecured ? identityIn(response) : signInsIn(response);
  } finally {
    connection.close();
  }
}

function question(target: Target): HttpRequest {
  const headers = headersFor(target);
  headers.set('WSMANIDENTIFY', 'unauthenticated');
  headers.set('Content-Type', 'application/soap+xml;charset=UTF-8');
  return { method: 'POST', target: target.path, headers, body: latin1Encode(encodeIdentify()) };
}

/** The first leg of a sign-in that brings no token. */
function knock(target: Target, form: OpenedRoad['form']): HttpRequest {
  const place = form === 'absolute' ? `http://${targetAuthority(target)}${target.path}` : target.path;
  return { method: 'POST', target: place, headers: headersFor(target), body: NO_BYTES };
}

function headersFor(target: Target): Headers {
  return new Headers([
    ['Host', targetAuthority(target)],
    ['User-Agent', 'Fairlead'],
    ['Accept-Encoding', 'identity'],
  ]);
}

async function openSecured(
  open: () => Promise<OpenedRoad>,
  options: IdentifyOptions,
  signal: AbortSignal,
): Promise<OpenedRoad> {
  const { target, platform, trust = null, journal = null, allowLegacyTls: allowLegacy = false } = options;
  const { host, port } = target;
  const decision = new TrustDecision({ host, port, trust, platform, journal });
  try {
    const versions = new VersionChoice(false);
    const setting = { host, decision, clientCertificate: null, versions, allowLegacy, platform, journal };
    return await openSecuredRoad('control', open, setting, signal);
  } finally {
    decision.close();
  }
}

function identityIn(response: HttpResponse): Stranger {
  const { status } = response;
  const identity = status >= 200 && status < 300 ? readFrom(response.body) : null;
  return identity === null ? refuse(response) : { ...wordsOf(response), identity };
}

function signInsIn(response: HttpResponse): Stranger {
  const words = wordsOf(response);
  return response.status === 401 && words.offered.length > 0 ? { ...words, identity: null } : refuse(response);
}

function wordsOf({ headers }: HttpResponse): Pick<Stranger, 'offered' | 'server'> {
  const challenges = parseChallenges(headers.getAll('WWW-Authenticate'));
  const offered = [...new Set(challenges.map(({ scheme }) => readableLine(scheme)))];
  return { offered, server: readableLine(headers.get('Server')) };
}

function refuse(response: HttpResponse): never {
  const { status } = response;
  const text = readableText(response.body);
  const contentType = readableLine(response.headers.get('Content-Type'));
  const isWsman = status === 401 || status === 403 || status === 503;
  if (isWsman) fail('http.unexpected-status', { status, reason: readableLine(response.reason), text });
  return fail('wsman.not-wsman', { status, contentType, text });
}

function readFrom(body: Uint8Array): Identity | null {
  try {
    return readIdentity(decodeEnvelope(utf8Decode(body)).body);
  } catch (error) {
    if (isWinRmError(error, 'wsman.malformed')) return null;
    throw error;
  }
}

/** The same stream, its first bytes heard. */
function overheard(stream: ByteStream, words: FirstWords): ByteStream {
  return {
    label: stream.label,
    async read(signal) {
      const bytes = await stream.read(signal);
      if (bytes !== null) words.hear(bytes);
      return bytes;
    },
    write: (bytes, signal) => stream.write(bytes, signal),
    end: () => stream.end(),
    destroy: (reason) => stream.destroy(reason),
  };
}
