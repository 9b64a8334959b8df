import { isIP } from 'node:net';
import { fail, isWinRmError } from '@fairlead/protocol/road';
import { Agent, request } from 'undici';
import { parseHost } from './address.ts';
import { isNameAllowed, mayBeAllowed, type Rule } from './dial-policy.ts';
import { type DialerOptions, judgedAddresses } from './dialer.ts';

/** The largest script that is passed on; what evaluates it takes no larger one. */
export const MAX_SCRIPT_BYTES = 1 << 20;

/** What a fetch needs: whose scripts may be fetched, how names are resolved, and how long it may take in all. */
export interface ScriptFetchOptions extends DialerOptions {
  /** PEM certificates that may vouch for https servers besides the usual ones. */
  readonly roots: readonly string[];
}

/** Where a script is, once its address has been read. */
export interface ScriptPlace {
  readonly url: URL;
  readonly host: string;
  readonly port: number;
}

/**
 * Reads the address of a script. What is judged afterwards is the host as the URL parser understood it, which is also
 * what is connected to, so that no spelling means one thing here and another there.
 *
 * @throws misuse.bad-argument, relay.policy-denied
 */
export function readScriptPlace(text: string, rules: readonly Rule[]): ScriptPlace {
  const refuse = (
    reason: 'not-a-url' | 'unsupported-scheme' | 'has-credentials' | 'not-a-host' | 'control-character',
  ) => fail('misuse.bad-argument', { argument: 'url', reason });
  if (/[\0-\x20\x7f]/.test(text)) refuse('control-character');
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text) || !URL.canParse(text)) refuse('not-a-url');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') refuse('unsupported-scheme');
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text)) refuse('has-credentials');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const parsed = parseHost(host);
  if (parsed === null || port === 0) return refuse('not-a-host');
  if (!mayBeAllowed(rules, parsed, port)) fail('relay.policy-denied', { host, port, rule: 'script' });
  url.hash = '';
  return { url, host, port };
}

/**
 * Fetches a PAC script: one GET, without cookies, credentials, redirects or a proxy. The name is resolved once, every
 * address is judged as a dial's would be, and the connection goes to a judged address.
 *
 * @throws relay.policy-denied, pac.not-fetched
 */
export async function fetchScript(place: ScriptPlace, options: ScriptFetchOptions): Promise<string> {
  const stop = AbortSignal.timeout(options.timeoutMs);
  const failed = (problem: string, cause?: unknown): never =>
    fail('pac.not-fetched', { host: place.host, problem }, cause);
  let agent: Agent | null = null;
  try {
    const addresses = await findAddresses(place, options, stop);
    agent = agentTo(addresses, options);
    const answer = await request(place.url, {
      ...{ dispatcher: agent, signal: stop, method: 'GET' },
      headers: { accept: 'application/x-ns-proxy-autoconfig, */*;q=0.1', 'accept-encoding': 'identity' },
    });
    // A body that nobody reads on may say so once more when its connection goes. Unheard, that would end the process.
    answer.body.on('error', () => {});
    if (answer.statusCode !== 200) {
      const isRedirect = answer.statusCode >= 300 && answer.statusCode < 400;
      return failed(`it answered ${answer.statusCode}${isRedirect ? ', and redirects are not followed' : ''}`);
    }
    const bytes = await readBody(answer.body);
    return bytes === null ? failed('it is larger than a mebibyte') : decode(bytes, answer.headers['content-type']);
  } catch (error) {
    if (isWinRmError(error, 'relay.name-not-found')) return failed('there is no such name', error);
    if (isWinRmError(error) && !isWinRmError(error, 'session.cancelled')) throw error;
    if (stop.aborted) return failed(`it took longer than ${Math.ceil(options.timeoutMs / 1000)} seconds`, error);
    return failed(`the connection failed (${causeOf(error)})`, error);
  } finally {
    await agent?.destroy();
  }
}

/**
 * The addresses a script may be fetched from. Where only a range of addresses could allow the host, every name can be
 * asked about; one that does not exist, or is not found in time, is then answered as one that leads elsewhere is, or
 * whoever asks would learn the names of the relay's network.
 */
async function findAddresses({ host, port }: ScriptPlace, options: ScriptFetchOptions, stop: AbortSignal) {
  try {
    return await judgedAddresses(options, { host, port }, stop);
  } catch (error) {
    const parsed = parseHost(host);
    if (parsed !== null && isNameAllowed(options.rules, parsed, port)) throw error;
    return fail('relay.policy-denied', { host, port, rule: 'address' }, error);
  }
}

function agentTo(addresses: readonly string[], options: ScriptFetchOptions): Agent {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first] = found;
  return new Agent({
    connections: 1,
    pipelining: 1,
    maxHeaderSize: 16 * 1024,
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    connect: {
      timeout: options.timeoutMs,
      autoSelectFamily: found.length > 1,
      ...(options.roots.length > 0 && { ca: [...options.roots] }),
      // The name was resolved and judged above. It is not resolved again.
      lookup: (_name, wanted, callback) => {
        if (wanted.all === true) callback(null, found);
        else callback(null, first?.address ?? '', first?.family ?? 4);
      },
    },
  });
}

/** The whole body, or null when it is larger than a script may be. */
async function readBody(body: AsyncIterable<Uint8Array> & { destroy(): unknown }): Promise<Buffer | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > MAX_SCRIPT_BYTES) {
      body.destroy();
      return null;
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** By the charset that is named, else UTF-8, else byte by byte, as Chromium reads scripts. */
function decode(bytes: Buffer, contentType: string | string[] | undefined): string {
  const named = /charset="?([\w-]{1,20})/i.exec(String(contentType ?? ''))?.[1] ?? 'utf-8';
  for (const charset of [named, 'utf-8', 'latin1']) {
    try {
      return new TextDecoder(charset, { fatal: charset !== 'latin1' }).decode(bytes);
    } catch {
      // the next one
    }
  }
  return '';
}

function causeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : 'unknown';
}
