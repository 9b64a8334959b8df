/**
 * One family of errors. A code is the stable, documented discriminant; `details` are typed per code; `party` says who
 * must act and `recovery` which button a screen offers. The English text is not here: sentences live in
 * `web/messages/<locale>.json` under `errors.<code>`, with `details` as parameters.
 */

/** Who can do something about an error. */
export type Party = 'user' | 'us' | 'network' | 'relay' | 'proxy' | 'server';

/** What a screen offers as its one action. */
export type Recovery =
  | 'none'
  | 'retry'
  | 'reconnect'
  | 'new-credential'
  | 'change-route'
  | 'review-trust'
  | 'sign-in'
  | 'ask-admin';

/** Why an argument was refused; each has a sentence of its own under `arguments.<reason>`. */
export type BadArgumentReason =
  | 'empty'
  | 'too-long'
  | 'not-a-number'
  | 'out-of-range'
  | 'control-character'
  | 'lone-surrogate'
  | 'not-a-host'
  | 'not-a-url'
  | 'unsupported-scheme'
  | 'has-credentials'
  | 'has-query'
  | 'unknown-code-page'
  | 'not-in-code-page'
  | 'forward-needs-http'
  | 'forward-not-last'
  | 'bad-header'
  | 'bad-xml'
  | 'needs-https'
  | 'cannot-seal'
  | 'socks-needs-plain'
  | 'malformed';

/** How far a request got, as far as anyone can know. */
export type Fate = 'not-sent' | 'unknown';

/** What a person needs to see of a certificate to judge it. Lists are joined with ", ", dates are ISO 8601 in UTC. */
export interface CertificateEvidence {
  /** The name that was asked for. */
  readonly host: string;
  readonly subject: string;
  readonly issuer: string;
  /** The DNS names and IP addresses of subjectAltName. */
  readonly names: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Thumbprints, upper-case hexadecimal; Windows shows the SHA-1 one. */
  readonly sha256: string;
  readonly sha1: string;
}

/** Which proxy. Hop 0 where only its words are known. */
export interface ProxyPlace {
  readonly hop: number;
  readonly host: string;
  readonly port: number;
}

/**
 * What showed that a connection is not the one that was signed in on: refused (401), unread (a sealed body that could
 * not be read), plain (an answer nobody sealed), gateway (the proxy's own words), key (another key's seal), request (an
 * answer to another request), legs (the sign-in itself, refused on its way).
 */
export type MovedSign = 'refused' | 'unread' | 'plain' | 'gateway' | 'key' | 'request' | 'legs';

/** What it said, as far as it explains itself. `text` is the page without its markup. */
interface ProxyWords {
  status: number;
  via: string;
  proxyStatus: string;
  text: string;
}

/**
 * How a connection went away that was still needed. On its way through a proxy: closed, announced by `Connection: close`,
 * outdated (HTTP/1.0). By the proxy itself, before there was a way through it: unanswered (not a word from the beginning),
 * asking (it had asked who we are), unsaid (in place of saying whether it reached the target).
 */
export type DropReason = 'closed' | 'announced' | 'outdated' | 'unanswered' | 'asking' | 'unsaid';

/**
 * The facts each code carries. No field may hold a secret. Hops count from 1 at the tab's end of the road. `proxy` is
 * host:port of the last proxy on the road, absent where there is none.
 */
export interface ErrorDetails {
  'relay.unreachable': { url: string };
  'relay.sign-in-required': Record<never, never>;
  'relay.ticket-refused': { reason: 'expired' | 'used' | 'unknown' };
  'relay.policy-denied': { host: string; port: number; rule: 'target' | 'proxy' | 'address' | 'road' | 'script' };
  'relay.limit-reached': { limit: number };
  'relay.name-not-found': { hop: number; host: string };
  'relay.connection-refused': { hop: number; host: string; port: number; cause: string };
  'relay.connect-timeout': { hop: number; host: string; port: number; seconds: number };
  'relay.lost': { reason: string };
  'http.malformed': { where: string; problem: string };
  'http.too-large': { where: string; limitBytes: number };
  'http.closed-early': { where: string; proxy?: string };
  'http.unexpected-status': { status: number; reason: string; text: string };
  'http.not-http': { startsWith: string };
  'proxy.auth-required': ProxyPlace & { offered: string };
  'proxy.auth-unsupported': ProxyPlace & ProxyWords & { offered: string; wanted: string };
  'proxy.auth-rejected': ProxyPlace & ProxyWords & { mechanism: string; stage: string };
  'proxy.auth-loops': ProxyPlace & ProxyWords & { mechanism: string; legCount: number };
  'proxy.needs-https': ProxyPlace & { offered: string; refusedBy: 'relay' | 'here' };
  'proxy.connect-denied': ProxyPlace & ProxyWords & { target: string; form?: 'may-forward' };
  'proxy.target-unreachable': ProxyPlace & ProxyWords & { target: string };
  'proxy.tls-failed': ProxyPlace & { problem: string; about?: 'certificate' | 'plain' };
  'proxy.socks-refused': ProxyPlace & { target: string; reply: number; problem: string };
  'proxy.not-a-proxy': ProxyPlace & { startsWith: string; kind?: 'socks5' };
  'proxy.drops-connection': ProxyPlace & Partial<ProxyWords> & { via: string; stage: string; why: DropReason };
  'proxy.no-affinity': ProxyPlace & {
    road: 'forward' | 'tunnel' | 'tls' | 'unseen';
    status: number;
    via: string;
    sign: MovedSign;
    answered: number;
    text: string;
  };
  'proxy.rewrites-auth': ProxyPlace & { status: number; via: string; offered: string; wanted: string };
  'proxy.false-tunnel': ProxyPlace & ProxyWords & { target: string };
  'proxy.foreign-page': ProxyPlace & ProxyWords & { target: string };
  'proxy.forward-refused': { problem: string };
  'settings.unreadable': {
    reason: 'empty' | 'too-long' | 'unknown-form' | 'not-a-proxy' | 'socks4' | 'not-a-url';
    setting: string;
  };
  'pac.unreadable': { line: number; column: number; problem: string };
  'pac.not-allowed': { what: string };
  'pac.too-long': { limit: 'script' | 'steps' | 'memory' | 'depth' };
  'pac.gave-no-answer': { problem: string };
  'pac.not-fetched': { host: string; problem: string };
  'tls.not-tls': { startsWith: string };
  'tls.alert': { alert: string; stage: string };
  'tls.no-common-suite': { received: string };
  'tls.unexpected-message': { expected: string; received: string };
  'tls.bad-record': { problem: string; proxy?: string };
  'tls.bad-handshake': { problem: string };
  'tls.bad-proof': { problem: string };
  'tls.bad-certificate': { problem: string };
  'tls.untrusted': CertificateEvidence & { problem: string };
  'tls.wrong-name': CertificateEvidence;
  'tls.expired': CertificateEvidence;
  'tls.weak-certificate': CertificateEvidence & { problem: string };
  'tls.pin-changed': CertificateEvidence & { expected: string; pinnedIssuer: string };
  'tls.intercepted': CertificateEvidence & { expected: string; pinnedIssuer: string };
  'tls.client-certificate': { problem: string };
  'tls.client-certificate-password': { problem: 'missing' | 'wrong' };
  'auth.no-common-mechanism': { offered: string; wanted: string };
  'auth.rejected': { mechanism: string; stage: string; user: string };
  'auth.binding-refused': { mechanism: string; stage: string; user: string; issuer: string; sha256: string };
  'auth.incomplete': { mechanism: string; stage: string };
  'auth.no-verdict': { count: number };
  'auth.malformed-token': { mechanism: string; stage: string; problem: string };
  'auth.too-weak': { mechanism: string; missing: string };
  'auth.mutual-failed': { mechanism: string; stage: string };
  'seal.plain-reply': { status: number; contentType: string };
  'seal.bad-signature': { sequence: number };
  'seal.length-mismatch': { declared: number; received: number };
  'seal.unsupported': { protocol: string };
  'seal.malformed': { problem: string };
  'wsman.not-wsman': { status: number; contentType: string; text: string };
  'wsman.malformed': { problem: string };
  'wsman.wrong-reply': { expected: string; received: string };
  'wsman.encryption-required': { status: number };
  'wsman.access-denied': { code: string; text: string };
  'wsman.quota': { code: string; text: string; quota: 'shells' | 'operations' | 'other' };
  'wsman.shell-gone': { code: string; text: string };
  'wsman.envelope-too-large': { bytes: number; limitBytes: number };
  'wsman.timed-out': { seconds: number };
  'wsman.fault': { code: string; subcode: string; text: string; machine: string };
  'shell.closed': { reason: string };
  'shell.gone': { shellId: string; text: string };
  'shell.fate-unknown': { operation: string };
  'session.cancelled': { at: string };
  'session.timed-out': { at: string; seconds: number; proxy?: string };
  'misuse.wrong-state': { action: string; state: string };
  'misuse.bad-argument': { argument: string; reason: BadArgumentReason; limit?: number };
}

/** Every code there is. */
export type ErrorCode = keyof ErrorDetails;

interface Rule {
  readonly party: Party;
  readonly recovery: Recovery;
}

/** Who acts and how, by code. The table is the source for `docs/errors.md`. */
export const ERROR_TABLE: Readonly<Record<ErrorCode, Rule>> = {
  'relay.unreachable': { party: 'network', recovery: 'retry' },
  'relay.sign-in-required': { party: 'user', recovery: 'sign-in' },
  'relay.ticket-refused': { party: 'user', recovery: 'retry' },
  'relay.policy-denied': { party: 'relay', recovery: 'ask-admin' },
  'relay.limit-reached': { party: 'user', recovery: 'none' },
  'relay.name-not-found': { party: 'user', recovery: 'change-route' },
  'relay.connection-refused': { party: 'network', recovery: 'change-route' },
  'relay.connect-timeout': { party: 'network', recovery: 'change-route' },
  'relay.lost': { party: 'network', recovery: 'reconnect' },
  'http.malformed': { party: 'server', recovery: 'reconnect' },
  'http.too-large': { party: 'server', recovery: 'reconnect' },
  'http.closed-early': { party: 'network', recovery: 'reconnect' },
  'http.unexpected-status': { party: 'server', recovery: 'retry' },
  'http.not-http': { party: 'server', recovery: 'change-route' },
  'proxy.auth-required': { party: 'user', recovery: 'new-credential' },
  'proxy.auth-unsupported': { party: 'proxy', recovery: 'change-route' },
  'proxy.auth-rejected': { party: 'user', recovery: 'new-credential' },
  'proxy.auth-loops': { party: 'proxy', recovery: 'change-route' },
  'proxy.needs-https': { party: 'user', recovery: 'change-route' },
  'proxy.connect-denied': { party: 'proxy', recovery: 'change-route' },
  'proxy.target-unreachable': { party: 'proxy', recovery: 'change-route' },
  'proxy.tls-failed': { party: 'proxy', recovery: 'change-route' },
  'proxy.socks-refused': { party: 'proxy', recovery: 'change-route' },
  'proxy.not-a-proxy': { party: 'user', recovery: 'change-route' },
  'proxy.drops-connection': { party: 'proxy', recovery: 'change-route' },
  'proxy.no-affinity': { party: 'proxy', recovery: 'change-route' },
  'proxy.rewrites-auth': { party: 'proxy', recovery: 'change-route' },
  'proxy.false-tunnel': { party: 'proxy', recovery: 'change-route' },
  'proxy.foreign-page': { party: 'proxy', recovery: 'change-route' },
  'proxy.forward-refused': { party: 'us', recovery: 'change-route' },
  'settings.unreadable': { party: 'user', recovery: 'none' },
  'pac.unreadable': { party: 'user', recovery: 'change-route' },
  'pac.not-allowed': { party: 'user', recovery: 'change-route' },
  'pac.too-long': { party: 'user', recovery: 'change-route' },
  'pac.gave-no-answer': { party: 'user', recovery: 'change-route' },
  'pac.not-fetched': { party: 'network', recovery: 'change-route' },
  'tls.not-tls': { party: 'user', recovery: 'change-route' },
  'tls.alert': { party: 'server', recovery: 'ask-admin' },
  'tls.no-common-suite': { party: 'server', recovery: 'ask-admin' },
  'tls.unexpected-message': { party: 'network', recovery: 'change-route' },
  'tls.bad-record': { party: 'network', recovery: 'reconnect' },
  'tls.bad-handshake': { party: 'network', recovery: 'change-route' },
  'tls.bad-proof': { party: 'network', recovery: 'change-route' },
  'tls.bad-certificate': { party: 'server', recovery: 'ask-admin' },
  'tls.untrusted': { party: 'user', recovery: 'review-trust' },
  'tls.wrong-name': { party: 'user', recovery: 'review-trust' },
  'tls.expired': { party: 'server', recovery: 'review-trust' },
  'tls.weak-certificate': { party: 'server', recovery: 'ask-admin' },
  'tls.pin-changed': { party: 'network', recovery: 'review-trust' },
  'tls.intercepted': { party: 'network', recovery: 'review-trust' },
  'tls.client-certificate': { party: 'user', recovery: 'new-credential' },
  'tls.client-certificate-password': { party: 'user', recovery: 'new-credential' },
  'auth.no-common-mechanism': { party: 'server', recovery: 'ask-admin' },
  'auth.rejected': { party: 'user', recovery: 'new-credential' },
  'auth.binding-refused': { party: 'network', recovery: 'new-credential' },
  'auth.incomplete': { party: 'server', recovery: 'retry' },
  'auth.no-verdict': { party: 'network', recovery: 'retry' },
  'auth.malformed-token': { party: 'server', recovery: 'ask-admin' },
  'auth.too-weak': { party: 'server', recovery: 'ask-admin' },
  'auth.mutual-failed': { party: 'network', recovery: 'change-route' },
  'seal.plain-reply': { party: 'network', recovery: 'change-route' },
  'seal.bad-signature': { party: 'network', recovery: 'reconnect' },
  'seal.length-mismatch': { party: 'network', recovery: 'reconnect' },
  'seal.unsupported': { party: 'server', recovery: 'ask-admin' },
  'seal.malformed': { party: 'server', recovery: 'reconnect' },
  'wsman.not-wsman': { party: 'user', recovery: 'change-route' },
  'wsman.malformed': { party: 'server', recovery: 'reconnect' },
  'wsman.wrong-reply': { party: 'proxy', recovery: 'reconnect' },
  'wsman.encryption-required': { party: 'server', recovery: 'ask-admin' },
  'wsman.access-denied': { party: 'server', recovery: 'ask-admin' },
  'wsman.quota': { party: 'server', recovery: 'retry' },
  'wsman.shell-gone': { party: 'server', recovery: 'reconnect' },
  'wsman.envelope-too-large': { party: 'user', recovery: 'none' },
  'wsman.timed-out': { party: 'server', recovery: 'retry' },
  'wsman.fault': { party: 'server', recovery: 'retry' },
  'shell.closed': { party: 'server', recovery: 'reconnect' },
  'shell.gone': { party: 'server', recovery: 'reconnect' },
  'shell.fate-unknown': { party: 'user', recovery: 'reconnect' },
  'session.cancelled': { party: 'user', recovery: 'retry' },
  'session.timed-out': { party: 'network', recovery: 'retry' },
  'misuse.wrong-state': { party: 'us', recovery: 'none' },
  'misuse.bad-argument': { party: 'user', recovery: 'none' },
};

/** The one error of this package. Compare `code`, never the message: two copies of a library defeat `instanceof`. */
export class WinRmError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly details: ErrorDetails[Code];

  constructor(code: Code, details: ErrorDetails[Code], cause?: unknown) {
    super(code, cause === undefined ? undefined : { cause });
    this.name = 'WinRmError';
    this.code = code;
    this.details = details;
  }

  /** Who must act. */
  get party(): Party {
    return ERROR_TABLE[this.code].party;
  }

  /** The one action a screen offers. */
  get recovery(): Recovery {
    return ERROR_TABLE[this.code].recovery;
  }

  /** Key of the sentence that says what happened. */
  get messageKey(): string {
    return `errors.${this.code}.message`;
  }

  /** Key of the sentence that says what to do. */
  get hintKey(): string {
    return `errors.${this.code}.hint`;
  }
}

/** Throws the error of a code. */
export function fail<Code extends ErrorCode>(code: Code, details: ErrorDetails[Code], cause?: unknown): never {
  throw new WinRmError(code, details, cause);
}

/** Tells whether a value is one of our errors, and optionally one of a certain code. */
export function isWinRmError(value: unknown): value is WinRmError;
export function isWinRmError<Code extends ErrorCode>(value: unknown, code: Code): value is WinRmError<Code>;
export function isWinRmError(value: unknown, code?: ErrorCode): boolean {
  return value instanceof WinRmError && (code === undefined || value.code === code);
}
