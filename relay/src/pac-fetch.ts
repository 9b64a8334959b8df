import { isIP } from 'node:net';
import { notFetched, PAC_REQUEST_FIELDS, readPacAddress, takePac } from '@fairlead/protocol/pac-file';
import { fail, isWinRmError } from '@fairlead/protocol/road';
import { Agent, request } from 'undici';
import { parseHost } from './address.ts';
import { isNameAllowed, mayBeAllowed, type Rule } from './dial-policy.ts';
import { type DialerOptions, judgedAddresses } from './dialer.ts';

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
  const url = readPacAddress(text);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const parsed = parseHost(host);
  if (parsed === null) return fail('misuse.bad-argument', { argument: 'url', reason: 'not-a-host' });
  if (!mayBeAllowed(rules, parsed, port)) fail('relay.policy-denied', { host, port, rule: 'script' });
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
  let agent: Agent | null = null;
  try {
    const addresses = await findAddresses(place, options, stop);
    agent = agentTo(addresses, options);
    const answer = await request(place.url, {
      ...{ dispatcher: agent, signal: stop, method: 'GET' },
      headers: PAC_REQUEST_FIELDS,
    });
    // A body that nobody reads on may say so once more when its connection goes. Unheard, that would end the process.
    answer.body.on('error', () => {});
    const { statusCode: status, headers, body } = answer;
    if (status >= 300 && status < 400) {
      return fail('pac.not-fetched', {
        host: place.host,
        problem: `it answered ${status}, and redirects are not followed`,
      });
    }
    return await takePac(place.host, { status, contentType: String(headers['content-type'] ?? ''), body });
  } catch (error) {
    if (isWinRmError(error, 'relay.name-not-found')) {
      return fail('pac.not-fetched', { host: place.host, problem: 'there is no such name' }, error);
    }
    throw notFetched(place.host, error, stop, options.timeoutMs);
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
