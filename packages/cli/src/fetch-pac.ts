import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';
import { fail, isWinRmError } from '@fairlead/protocol';
import { notFetched, PAC_REQUEST_FIELDS, readPacAddress, takePac } from '@fairlead/protocol/pac-file';
import { UsageError } from './arguments.ts';

const MAX_REDIRECTS = 3;
const TIMEOUT_MS = 10_000;

/**
 * Fetches a PAC file from this machine: directly, with agents of its own, because those of the process would use the
 * proxies of the environment where Node is told to. Redirects are followed within one scheme.
 *
 * @throws UsageError for an address that is none or has credentials; pac.not-fetched
 */
export async function fetchPac(address: string, timeoutMs = TIMEOUT_MS): Promise<string> {
  const stop = AbortSignal.timeout(timeoutMs);
  let url = placeOf(address);
  for (let count = 0; ; count++) {
    const answer = await get(url, stop).catch((error: unknown) => {
      throw notFetched(url.host, error, stop, timeoutMs);
    });
    const location = answer.headers.location;
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) && location !== undefined;
    if (!isRedirect) {
      const reply = {
        status: answer.statusCode ?? 0,
        contentType: answer.headers['content-type'] ?? '',
        body: answer as AsyncIterable<Buffer> & IncomingMessage,
      };
      return await takePac(url.host, reply).catch((error: unknown) => {
        throw notFetched(url.host, error, stop, timeoutMs);
      });
    }
    answer.destroy();
    const next = nextPlace(location, url);
    if (next === null) return fail('pac.not-fetched', { host: url.host, problem: NOT_FOLLOWED });
    if (count >= MAX_REDIRECTS) return fail('pac.not-fetched', { host: url.host, problem: 'it leads on and on' });
    url = next;
  }
}

const NOT_FOLLOWED = 'it leads to an address that is not followed';

function placeOf(address: string): URL {
  try {
    return readPacAddress(address);
  } catch (error) {
    const hasCredentials = isWinRmError(error, 'misuse.bad-argument') && error.details.reason === 'has-credentials';
    if (!hasCredentials) throw new UsageError('--pac wants a file or an http or https address.');
    throw new UsageError('--pac: the address contains a user name or password, which would be visible to others here.');
  }
}

/** Where a redirect leads, under the rules of every such address and within the scheme; null when it is not followed. */
function nextPlace(location: string, from: URL): URL | null {
  try {
    const next = readPacAddress(new URL(location, from).href);
    return next.protocol === from.protocol ? next : null;
  } catch {
    return null;
  }
}

function get(url: URL, stop: AbortSignal): Promise<IncomingMessage> {
  const isSecure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (isSecure ? requestHttps : requestHttp)(url, {
      agent: isSecure ? new SecureAgent() : new Agent(),
      signal: stop,
      headers: PAC_REQUEST_FIELDS,
    });
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  });
}
