import { latin1Encode, utf8Decode } from '../bytes/bytes.ts';
import { fail, isWinRmError } from '../errors.ts';
import { HttpConnection } from '../http/connection.ts';
import { readableLine, readableText } from '../http/evidence.ts';
import { Headers } from '../http/headers.ts';
import type { HttpResponse } from '../http/response.ts';
import type { Journal } from '../journal.ts';
import type { HopReport, OpenedRoad, RoadOpener } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import { decodeEnvelope, encodeIdentify } from '../wsman/envelope.ts';
import { type Identity, readIdentity } from '../wsman/operations.ts';
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

/**
 * Asks a server what it is, without signing in. DMTF DSP0226, section 11.
 *
 * The only SOAP that ever leaves unprotected by keys or TLS, and only to an http target: it is the same for everybody and says nothing. What comes back is a
 * stranger's word, fit for a hint and for nothing else. On a road whose last proxy reads each request it is refused,
 * because only sealed bodies pass there.
 *
 * @throws proxy.forward-refused, wsman.not-wsman, http.unexpected-status when the server tells strangers nothing, tls.*
 *   and what the road throws
 */
export async function identify(options: IdentifyOptions): Promise<Identity> {
  const { target, openRoad, platform } = options;
  checkTarget(target);
  const signal = options.signal ?? new AbortController().signal;
  const open = (): Promise<OpenedRoad> => openRoad('control', (report) => options.onHop?.(report), signal);
  const road = target.scheme === 'https' ? await openSecured(open, options, signal) : await open();
  if (road.form === 'absolute') {
    road.stream.destroy();
    fail('proxy.forward-refused', { problem: 'Identify has an unsealed body' });
  }
  const connection = new HttpConnection(road.stream);
  try {
    const response = await connection.exchange(
      {
        method: 'POST',
        target: target.path,
        headers: new Headers([
          ['Host', targetAuthority(target)],
          ['User-Agent', 'Fairlead'],
          ['WSMANIDENTIFY', 'unauthenticated'],
          ['Accept-Encoding', 'identity'],
          ['Content-Type', 'application/soap+xml;charset=UTF-8'],
        ]),
        body: latin1Encode(encodeIdentify()),
      },
      { replyWithinMs: IDENTIFY_TIMEOUT_MS, platform, signal, at: 'Identify' },
    );
    return identityIn(response);
  } finally {
    connection.close();
  }
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

function identityIn(response: HttpResponse): Identity {
  const { status } = response;
  const text = readableText(response.body);
  const contentType = readableLine(response.headers.get('Content-Type'));
  const identity = status >= 200 && status < 300 ? readFrom(response.body) : null;
  if (identity !== null) return identity;
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
