import type { ErrorCode, WinRmError } from '@fairlead/protocol';

/** Where a proxy's failure is put right: at its sign-in, at the way to the server, or at what the route says of it. */
const PLACES = {
  'proxy.auth-required': 'sign-in',
  'proxy.auth-rejected': 'sign-in',
  'proxy.auth-unsupported': 'sign-in',
  'proxy.auth-loops': 'sign-in',
  'proxy.needs-https': 'https',
  'proxy.tls-failed': 'route',
  'proxy.socks-refused': 'route',
} as const satisfies Partial<Record<ErrorCode, string>>;

const CODES = Object.keys(PLACES) as (keyof typeof PLACES)[];

/** What one proxy of a road asked for, or stumbled over, in an attempt that failed. */
export interface ProxyQuestion {
  readonly code: keyof typeof PLACES;
  readonly place: (typeof PLACES)[keyof typeof PLACES];
  /** The proxy's place on the road, counted from 1. */
  readonly hop: number;
  readonly host: string;
  readonly port: number;
  /** The schemes it offered, as it named them; "" where it named none. */
  readonly offered: string;
  /** What was tried; "" where nothing was. */
  readonly mechanism: string;
  /** What went wrong, in our words; "" where the code says it all. */
  readonly problem: string;
  /** The proxy's own words; null where it said nothing. */
  readonly words: {
    readonly status: number;
    readonly via: string;
    readonly proxyStatus: string;
    readonly text: string;
  } | null;
}

/** What a proxy asked for when a road failed at it; null for other failures. */
export function proxyQuestion(error: WinRmError | null): ProxyQuestion | null {
  const code = asked(error?.code);
  if (error === null || code === null) return null;
  const details: Readonly<Record<string, unknown>> = { ...error.details };
  const { hop, host, port } = details;
  if (typeof hop !== 'number' || typeof host !== 'string' || typeof port !== 'number') return null;
  const text = (name: string) => (typeof details[name] === 'string' ? clean(details[name]) : '');
  const { status } = details;
  const words = { via: text('via'), proxyStatus: text('proxyStatus'), text: text('text').trim() };
  return {
    ...{ code, place: PLACES[code], hop, host, port },
    ...{ offered: text('offered'), mechanism: text('mechanism'), problem: text('problem') },
    words: typeof status === 'number' && status > 0 ? { status, ...words } : null,
  };
}

/** Message key: what leads to where a question is answered. */
export const QUESTION_ACTIONS = {
  'sign-in': 'progress.proxySignIn',
  https: 'progress.proxyHttps',
  route: 'progress.proxyRoute',
} as const satisfies Record<ProxyQuestion['place'], string>;

/** Whether a failure is put right at a proxy's own fields. */
export function isProxyQuestion(code: ErrorCode): boolean {
  return asked(code) !== null;
}

function asked(code: ErrorCode | undefined): keyof typeof PLACES | null {
  return CODES.find((known) => known === code) ?? null;
}

/** Line ends stay, every other control character goes: a proxy's text must not steer what shows it. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, ' ');
}
