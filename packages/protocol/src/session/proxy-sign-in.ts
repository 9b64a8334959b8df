import type { Credential } from '../auth/credential.ts';
import { chooseDigest, digestAnswer, digestTrouble } from '../auth/digest.ts';
import { createProxyMechanism } from '../auth/proxy.ts';
import { fromBase64, toBase64, utf8Encode } from '../bytes/bytes.ts';
import { fail, isWinRmError, WinRmError } from '../errors.ts';
import { formatToken, parseChallenges } from '../http/challenge.ts';
import type { ProxyAnswerer, ProxyChallenge } from '../opened-road.ts';
import type { Platform } from '../platform.ts';
import type { ProxyRoute } from '../road/route.ts';
import type { AuthMechanism, AuthStep, Challenge } from '../security.ts';

/** A way to sign in to a proxy. `Basic` is also the name and password of SOCKS 5. */
export type ProxyMechanism = 'Negotiate' | 'NTLM' | 'Digest' | 'Basic';

/** Those that do not show the password to the proxy, the relay and everybody between, the best first. */
export const HIDING_PROXY_MECHANISMS: readonly ProxyMechanism[] = ['Negotiate', 'NTLM', 'Digest'];

/** All there are; Basic last, because it shows the password. */
export const ALL_PROXY_MECHANISMS: readonly ProxyMechanism[] = [...HIDING_PROXY_MECHANISMS, 'Basic'];

/** Who somebody is to one proxy: nothing to do with who they are to the server (the seed's rules R6 and R9). */
export interface ProxyCredential {
  readonly credential: Credential;
  /** What may be used, in order of preference. Whoever can change a proxy's offer chooses from this list. */
  readonly mechanisms: readonly ProxyMechanism[];
}

/** What answering the proxies of a road needs. */
export interface ProxySignInOptions {
  readonly route: ProxyRoute;
  /** One for each hop of the route; null for a proxy that gets none. */
  readonly credentials: readonly (ProxyCredential | null)[];
  readonly scheme: 'http' | 'https';
  /** Gives credentials to proxies although the target is http, against the seed's rule R5. False unless given. */
  readonly dangerHttpBehindAuthenticatedProxy?: boolean;
  readonly platform: Platform;
}

/** The name a proxy's log shows for our machine; the real one is nobody's business. */
const WORKSTATION = 'FAIRLEAD';

/** Nonces of Digest that may run out under an answer; each further one would be another showing of the password. */
const MAX_STALE_NONCES = 1;

/** On one road a proxy is signed in to once, and once more where somebody dialled it again. */
const MAX_CONVERSATIONS = 2;

/**
 * Makes the answerers of a session's roads: call it once for each road that is opened.
 *
 * INVARIANT: a hop's credential answers that hop alone, and no byte of it leaves for an http target unless that danger
 * was chosen. On one road a proxy gets no more than a few answers, whatever it or the relay asks.
 */
export function proxySignIn(options: ProxySignInOptions): () => ProxyAnswerer {
  return () => {
    const conversations = new Map<number, Conversation>();
    const begun = new Map<number, number>();
    return (challenge) => {
      const given = credentialFor(options, challenge);
      let conversation = conversations.get(challenge.hop);
      if (conversation === undefined || challenge.leg === 0) {
        const count = (begun.get(challenge.hop) ?? 0) + 1;
        if (count > MAX_CONVERSATIONS) fail('relay.lost', { reason: 'it asked about one proxy again and again' });
        begun.set(challenge.hop, count);
        conversation = new Conversation(given, options.platform);
        conversations.set(challenge.hop, conversation);
      }
      return conversation.answer(challenge);
    };
  };
}

function credentialFor(options: ProxySignInOptions, challenge: ProxyChallenge): ProxyCredential {
  const { hop, host, port } = challenge;
  const named = options.route.hops[hop - 1];
  if (named === undefined || named.host !== host || named.port !== port) {
    fail('relay.lost', { reason: 'it asked about a proxy that is not on this road' });
  }
  if ((challenge.kind === 'socks5') !== (named.kind === 'socks5'))
    fail('relay.lost', { reason: 'it asked about a proxy of another kind' });
  const offered = namesOf(parseChallenges(challenge.offered));
  const given = options.credentials[hop - 1] ?? null;
  if (given === null) return fail('proxy.auth-required', { hop, host, port, offered });
  if (options.scheme !== 'https' && options.dangerHttpBehindAuthenticatedProxy !== true) {
    fail('proxy.needs-https', { hop, host, port, offered, refusedBy: 'here' });
  }
  return given;
}

/** One conversation with one proxy on one connection. */
class Conversation {
  readonly #given: ProxyCredential;
  readonly #platform: Platform;
  readonly #failed = new Set<ProxyMechanism>();
  #now: ProxyMechanism | null = null;
  #mechanism: AuthMechanism | null = null;
  #nonce = '';
  #nonceCount = 0;
  #staleCount = 0;

  constructor(given: ProxyCredential, platform: Platform) {
    this.#given = given;
    this.#platform = platform;
  }

  answer(challenge: ProxyChallenge): string {
    const offered = parseChallenges(challenge.offered);
    if (this.#now === null) return this.#begin(challenge, offered);
    if (this.#now === 'Basic') return this.#reject(challenge, 'request');
    if (this.#now === 'Digest') {
      const next = chooseDigest(offered);
      // The nonce had run out, the password was right. RFC 7616, section 3.3
      const isStale = next?.params.get('stale')?.toLowerCase() === 'true' && next.params.get('nonce') !== this.#nonce;
      if (!isStale || next === null) return this.#reject(challenge, 'request');
      this.#staleCount += 1;
      if (this.#staleCount > MAX_STALE_NONCES) {
        fail('proxy.auth-loops', { ...factsOf(challenge), mechanism: 'Digest', legCount: challenge.leg });
      }
      return this.#digest(challenge, next);
    }
    return this.#goOn(challenge, offered);
  }

  #begin(challenge: ProxyChallenge, offered: readonly Challenge[]): string {
    const chosen = this.#given.mechanisms.find((name) => !this.#failed.has(name) && isOffered(name, offered));
    if (chosen === undefined) {
      const wanted = this.#given.mechanisms.join(', ');
      return fail('proxy.auth-unsupported', { ...factsOf(challenge), offered: offersOf(offered), wanted });
    }
    this.#now = chosen;
    if (chosen === 'Basic') return basicAnswer(this.#given.credential);
    if (chosen === 'Digest') return this.#digest(challenge, chooseDigest(offered));
    const { credential } = this.#given;
    const setting = { credential, host: challenge.host, workstation: WORKSTATION, platform: this.#platform };
    this.#mechanism = createProxyMechanism({ scheme: chosen, ...setting });
    return this.#send(challenge, this.#mechanism, this.#mechanism.step(null));
  }

  #digest(asked: ProxyChallenge, challenge: Challenge | null): string {
    if (challenge === null) return this.#reject(asked, 'request');
    const nonce = challenge.params.get('nonce') ?? '';
    this.#nonceCount = nonce === this.#nonce ? this.#nonceCount + 1 : 1;
    this.#nonce = nonce;
    const count = { count: this.#nonceCount, platform: this.#platform };
    const request = { method: 'CONNECT', uri: asked.target };
    return `Digest ${digestAnswer(challenge, this.#given.credential, request, count)}`;
  }

  #goOn(challenge: ProxyChallenge, offered: readonly Challenge[]): string {
    const mechanism = this.#mechanism;
    if (mechanism === null) return this.#reject(challenge, 'request');
    const encoded = offered.find(({ scheme, token68 }) => isScheme(scheme, mechanism.scheme) && token68 !== null);
    const token = fromBase64(encoded?.token68 ?? '');
    const { stage } = mechanism;
    try {
      const hasToken = token !== null && token.length > 0;
      const verdict = hasToken ? 'challenged' : 'rejected';
      const step = mechanism.step({ from: 'peer', verdict, token: hasToken ? token : null });
      return this.#send(challenge, mechanism, step);
    } catch (error) {
      if (!isWinRmError(error) || !error.code.startsWith('auth.')) throw error;
      // The proxy knows the scheme but not this mechanism of it, or too weakly; the password has not been tried yet.
      return stage === 'negotiate' ? this.#tryAnother(challenge, offered) : this.#reject(challenge, stage, error);
    }
  }

  #tryAnother(challenge: ProxyChallenge, offered: readonly Challenge[]): string {
    if (this.#now !== null) this.#failed.add(this.#now);
    this.#now = null;
    this.#mechanism = null;
    return this.#begin(challenge, offered);
  }

  #send(challenge: ProxyChallenge, mechanism: AuthMechanism, step: AuthStep): string {
    // A proxy that still asks when there is nothing left to say has refused what was said.
    if (step.to !== 'peer') return this.#reject(challenge, mechanism.stage);
    return formatToken(mechanism.scheme, step.token);
  }

  #reject(challenge: ProxyChallenge, stage: string, cause?: unknown): never {
    const mechanism = this.#now ?? '';
    throw new WinRmError('proxy.auth-rejected', { ...factsOf(challenge), mechanism, stage }, cause);
  }
}

function isOffered(name: ProxyMechanism, offered: readonly Challenge[]): boolean {
  if (name === 'Digest') return chooseDigest(offered) !== null;
  return offered.some(({ scheme }) => isScheme(scheme, name));
}

function isScheme(scheme: string, name: string): boolean {
  return scheme.toLowerCase() === name.toLowerCase();
}

/** RFC 7617, section 2; the text is UTF-8 (section 2.1). A colon would end the name. */
function basicAnswer({ user, domain, secret }: Credential): string {
  const name = domain === '' ? user : `${domain}\\${user}`;
  if (name.includes(':')) fail('misuse.bad-argument', { argument: 'user', reason: 'malformed' });
  return `Basic ${toBase64(utf8Encode(`${name}:${secret.reveal()}`))}`;
}

function namesOf(offered: readonly Challenge[]): string {
  return [...new Set(offered.map(({ scheme }) => scheme))].join(', ');
}

/** With what is wrong with a Digest that could be answered otherwise. */
function offersOf(offered: readonly Challenge[]): string {
  const named = offered.map((challenge) => {
    const trouble = isScheme(challenge.scheme, 'Digest') ? digestTrouble(challenge) : '';
    return trouble === '' ? challenge.scheme : `${challenge.scheme} (${trouble})`;
  });
  return [...new Set(named)].join(', ');
}

function factsOf({ hop, host, port, status, via, proxyStatus, text }: ProxyChallenge) {
  return { hop, host, port, status, via, proxyStatus, text };
}
