import { type AffinityFindings, checkAffinity, Journal, targetAuthority } from '@fairlead/protocol';
import { defaultPlatform } from '@fairlead/protocol/node';
import { printAuthority } from '@fairlead/protocol/road';
import { adviceWords, tellAdvice } from './advice.ts';
import type { Request } from './arguments.ts';
import { errorWords } from './error-block.ts';
import { exitCodeOfError } from './exit-codes.ts';
import { signInFrom, writeJournal } from './open-session.ts';
import { printable, type Terminal, writeAll, writeLine } from './terminal.ts';

type CheckRequest = Extract<Request, { verb: 'check-road' }>;

/** Signs in once and finds out whether the road keeps that connection together. */
export async function checkRoad(request: CheckRequest, terminal: Terminal): Promise<number> {
  const giveUp = new AbortController();
  const stopListening = terminal.onInterrupt(() => giveUp.abort());
  const journal = new Journal(() => defaultPlatform.monotonicMs());
  try {
    if (request.journalFile !== null) writeJournal(journal, request.journalFile);
    const signIn = await signInFrom(request, terminal);
    if (request.isJson) tellAdvice(journal, terminal);
    const found = await checkAffinity({ ...signIn, journal, count: request.count, signal: giveUp.signal });
    if (request.isJson) await writeLine(terminal, { type: 'road', ...found, error: toldOf(found) });
    else await writeAll(terminal.stdout, `${linesOf(found, request).map(printable).join('\n')}\n`);
    return found.error === null ? 0 : exitCodeOfError(found.error);
  } finally {
    stopListening();
  }
}

function toldOf({ error }: AffinityFindings): object | null {
  if (error === null) return null;
  const { code, message, hint } = errorWords(error);
  return { code, message, hint, details: error.details };
}

function linesOf(found: AffinityFindings, request: CheckRequest): string[] {
  const { mechanism, handshakes, connections, sent, answered, error, advice } = found;
  const lines = [
    `road         ${roadOf(found, request)}`,
    `sign-in      ${mechanism}, ${times(handshakes, 'handshake')} on ${times(connections, 'connection')}`,
    `requests     ${answered} of ${sent} answered under that sign-in`,
    `connection   ${VERDICTS[found.verdict]}`,
    `unencrypted  ${unencryptedOf(found)}`,
  ];
  for (const one of advice) lines.push(`note         ${adviceWords(one)}`);
  if (error !== null) {
    const { message, hint, facts } = errorWords(error);
    lines.push(`why          ${message}`, ...facts.map((fact) => `             ${fact}`), `what to do   ${hint}`);
    lines.push(`             [${error.code}]`);
  }
  return lines;
}

const VERDICTS: Readonly<Record<AffinityFindings['verdict'], string>> = {
  kept: 'kept: every request reached the connection that was signed in on',
  moved: 'MOVED: a request reached another connection than the one that was signed in on',
  closed: 'CLOSED before all requests were asked',
  unbound: 'not needed: this sign-in goes with each request',
};

function roadOf({ road, isSecured }: AffinityFindings, { route, target }: CheckRequest): string {
  const where = `${targetAuthority(target)}${isSecured ? ', TLS from here to there' : ''}`;
  if (road === 'direct') return `direct, to ${where}`;
  const proxies = route.hops.map(({ host, port }) => printAuthority({ host, port })).join(', then ');
  const way = road === 'forward' ? 'which forwards each request' : 'in a tunnel';
  return `through ${proxies}, ${way} to ${where}`;
}

function unencryptedOf({ allowsUnencrypted, isSecured }: AffinityFindings): string {
  if (allowsUnencrypted === null) return 'the host does not tell this account whether it would take it';
  if (!allowsUnencrypted) return 'refused by the host (AllowUnencrypted is false), as it should be';
  const danger = isSecured ? '' : ' Fairlead never sends it, but others might.';
  return `ACCEPTED by the host: AllowUnencrypted is true and should be false.${danger}`;
}

function times(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
