import { faultMeaning, isWinRmError, type Recovery, type WinRmError } from '@fairlead/protocol';

/** Values for the parameters of a sentence. */
export type SentenceValues = Record<string, string | number>;

/** An error as a screen shows it: keys of sentences, the facts that go into them, and the one action. */
export interface ErrorText {
  readonly code: string;
  /** What happened, and where. */
  readonly messageKey: string;
  /** What the host's fault code means, in our words; null where there is none, or nobody here knows it. */
  readonly meaningKey: string | null;
  /** What to do about it. */
  readonly hintKey: string;
  readonly values: SentenceValues;
  /** Why, as another sentence, where one does not tell both: that a line's fate is unknown, and what broke under it. */
  readonly because: { readonly messageKey: string; readonly values: SentenceValues } | null;
  readonly recovery: Recovery;
  /** Key of the one action's words, or null where there is nothing to press. */
  readonly actionKey: string | null;
  /** What the peer said in its own words, to be shown as it is and never translated; "" when it said nothing. */
  readonly evidence: string;
  /** What stood above it: a proxy's status and the fields that tell who it is, one per line. */
  readonly heads: readonly string[];
  /** Facts for a report, one per line; holds no secret because no error's details may. */
  readonly report: string;
}

/** Longest piece of a peer's text that goes into a sentence; the whole of it is in the evidence. */
const MAX_VALUE_CHARACTERS = 200;
/** Details that not every error of a code has: a sentence can tell by the word. */
const ABSENT = { proxy: 'nothing', about: 'nothing', form: 'nothing', kind: 'nothing' } as const;
/** Details that are a peer's own words, in order of how much they usually explain. */
const EVIDENCE = ['text', 'proxyStatus', 'startsWith', 'problem', 'cause'] as const;

/** Turns an error into what a screen shows. */
export function errorText(error: WinRmError): ErrorText {
  const details = Object.entries(error.details) as [string, unknown][];
  const cause = error.code === 'shell.fate-unknown' && isWinRmError(error.cause) ? error.cause : null;
  // What is wrong with TLS is said in our words, and stands in the sentence already.
  const told = (error.code.startsWith('tls.') ? [] : EVIDENCE)
    .map((name) => details.find(([key]) => key === name)?.[1])
    .find((value): value is string => typeof value === 'string' && value.trim() !== '');
  return {
    code: error.code,
    messageKey: argumentKey(error) ?? error.messageKey,
    meaningKey: meaningKey(error),
    hintKey: error.hintKey,
    values: valuesOf(error),
    because: cause && { messageKey: cause.messageKey, values: valuesOf(cause) },
    recovery: error.recovery,
    actionKey: error.recovery === 'none' ? null : `recovery.${error.recovery}`,
    evidence: told === undefined ? '' : clean(told).trim(),
    heads: headsOf(error, told),
    report: [error.code, ...details.map(([name, value]) => `${name}: ${clean(String(value))}`)].join('\n'),
  };
}

function headsOf({ code, details }: WinRmError, told: string | undefined): string[] {
  const heads: string[] = [];
  if (!code.startsWith('proxy.')) return heads;
  if ('status' in details && typeof details.status === 'number' && details.status > 0) {
    heads.push(`HTTP ${details.status}`);
  }
  if ('via' in details && details.via) heads.push(`Via: ${clean(details.via)}`);
  if ('proxyStatus' in details && details.proxyStatus && details.proxyStatus !== told) {
    heads.push(`Proxy-Status: ${clean(details.proxyStatus)}`);
  }
  return heads;
}

function valuesOf({ details }: WinRmError): SentenceValues {
  const values: SentenceValues = { limit: 0, ...ABSENT };
  for (const [name, value] of Object.entries(details)) {
    values[name] = typeof value === 'number' ? value : clean(String(value)).slice(0, MAX_VALUE_CHARACTERS);
  }
  if ('port' in values && 'host' in values) values['host'] = bracketed(String(values['host']));
  return values;
}

/** An IPv6 address, as it is written in front of a port. */
function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** Line ends stay, every other control character goes: a peer's text must not steer what shows it. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, ' ');
}

/** Key of the sentence for a refused argument: it says more than the sentence all of them share. */
function argumentKey(error: WinRmError): string | null {
  if (error.code !== 'misuse.bad-argument') return null;
  const details = error.details as { reason: string };
  return `arguments.${details.reason}`;
}

function meaningKey(error: WinRmError): string | null {
  if (error.code !== 'wsman.fault') return null;
  const meaning = faultMeaning((error.details as { code: string }).code);
  return meaning === null ? null : `faults.${meaning}`;
}
