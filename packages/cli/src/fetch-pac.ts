import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';
import { fail } from '@fairlead/protocol';
import { UsageError } from './arguments.ts';

const MAX_BYTES = 1 << 20;
const MAX_REDIRECTS = 3;
const TIMEOUT_MS = 10_000;

/**
 * Fetches a PAC file from this machine: directly, with agents of its own, because those of the process would use the
 * proxies of the environment where Node is told to. Redirects are followed within one scheme.
 *
 * @throws UsageError for an address with credentials; pac.not-fetched
 */
export async function fetchPac(address: string, timeoutMs = TIMEOUT_MS): Promise<string> {
  const stop = AbortSignal.timeout(timeoutMs);
  let url = placeOf(address);
  for (let count = 0; ; count++) {
    const answer = await get(url, stop, timeoutMs);
    const location = answer.headers.location;
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) && location !== undefined;
    if (!isRedirect) return readAnswer(answer, url, stop, timeoutMs);
    answer.destroy();
    const next = URL.canParse(location, url.href) ? new URL(location, url) : null;
    if (next === null || next.protocol !== url.protocol || next.username !== '' || next.password !== '') {
      return failed(url, 'it leads to an address that is not followed');
    }
    if (count >= MAX_REDIRECTS) return failed(url, 'it leads on and on');
    url = next;
  }
}

function placeOf(address: string): URL {
  if (!URL.canParse(address)) throw new UsageError('--pac wants a file or an http or https address.');
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('--pac: the address contains a user name or password, which would be visible to others here.');
  }
  return url;
}

function get(url: URL, stop: AbortSignal, timeoutMs: number): Promise<IncomingMessage> {
  const isSecure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (isSecure ? requestHttps : requestHttp)(url, {
      agent: isSecure ? new SecureAgent() : new Agent(),
      signal: stop,
      headers: { accept: 'application/x-ns-proxy-autoconfig, */*;q=0.1', 'accept-encoding': 'identity' },
    });
    request.on('response', resolve);
    request.on('error', (error: NodeJS.ErrnoException) => reject(problem(url, error, stop, timeoutMs)));
    request.end();
  });
}

async function readAnswer(answer: IncomingMessage, url: URL, stop: AbortSignal, timeoutMs: number): Promise<string> {
  if (answer.statusCode !== 200) {
    answer.destroy();
    return failed(url, `it answered ${answer.statusCode ?? 0}`);
  }
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > MAX_BYTES) break;
      parts.push(part);
    }
  } catch (error) {
    throw problem(url, error, stop, timeoutMs);
  }
  if (length > MAX_BYTES) return failed(url, 'it is larger than a mebibyte');
  const bytes = Buffer.concat(parts);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}

function failed(url: URL, what: string): never {
  return fail('pac.not-fetched', { host: url.host, problem: what });
}

function problem(url: URL, error: unknown, stop: AbortSignal, timeoutMs: number): unknown {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : 'unknown';
  const what = stop.aborted
    ? `it took longer than ${Math.ceil(timeoutMs / 1000)} seconds`
    : `the connection failed (${String(code)})`;
  try {
    return failed(url, what);
  } catch (ours) {
    return ours;
  }
}
