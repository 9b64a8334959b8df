import { WinRmError } from '../errors.ts';
import type { ProxyAnswerer, ProxyChallenge } from '../opened-road.ts';

/** More questions than four proxies with ten legs each could have, re-dials included. */
const MAX_CHALLENGES = 50;

/**
 * Makes the `answer` message for each challenge of one road. The result throws what the answerer throws, and relay.lost.
 * @param onAnswer called before an answer leaves
 */
export function proxyAnswers(
  answerProxy: ProxyAnswerer = refuseToAnswer,
  signal: AbortSignal,
  onAnswer: () => void = () => undefined,
): (challenge: ProxyChallenge) => Promise<string> {
  let count = 0;
  return async (challenge) => {
    count += 1;
    if (count > MAX_CHALLENGES) throw new WinRmError('relay.lost', { reason: 'too many questions' });
    const authorization = await answerProxy(challenge, signal);
    onAnswer();
    return JSON.stringify({ type: 'answer', hop: challenge.hop, authorization });
  };
}

/** For a road without credentials. */
const refuseToAnswer: ProxyAnswerer = ({ hop, host, port, offered }) => {
  throw new WinRmError('proxy.auth-required', { hop, host, port, offered: schemesOf(offered) });
};

/** The schemes of Proxy-Authenticate, one per value as nearly every proxy writes them. */
function schemesOf(offered: readonly string[]): string {
  return [...new Set(offered.map((value) => /^[A-Za-z0-9-]{1,32}/.exec(value.trim())?.[0] ?? ''))]
    .filter((name) => name !== '')
    .join(', ');
}
