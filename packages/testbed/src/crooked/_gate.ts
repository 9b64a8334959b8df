import { isWinRmError } from '../../../protocol/src/errors.ts';
import type { HttpRequest } from '../../../protocol/src/http/request.ts';
import { readBasic } from '../logon.ts';
import { NegotiateAcceptor } from '../negotiate-acceptor.ts';
import { Refusal } from '../refusal.ts';
import { ownPage, type Reply, staleQuestion, WAYS } from './_ways.ts';
import type { ProxyScene } from './crooked-proxy.ts';

/** The sign-in to a proxy on one client connection. RFC 9110, section 11.7 */
export class Gate {
  readonly #scene: ProxyScene;
  #acceptor: { readonly scheme: string; readonly of: NegotiateAcceptor } | null = null;

  constructor(scene: ProxyScene) {
    this.#scene = scene;
  }

  /** Null lets the request through; else it is answered so. */
  judge(request: HttpRequest): Reply | null {
    const { crookedness } = this.#scene;
    const { asks } = WAYS[crookedness];
    if (asks.length === 0) return null;
    if (crookedness === 'loops-407') return question([staleQuestion()]);
    const [scheme = '', text = ''] = (request.headers.get('Proxy-Authorization') ?? '').split(/ +/, 2);
    if (scheme === '') return question(asks);
    try {
      const token = this.#take(asks, scheme, text);
      if (token === null) return null;
      return question([`${scheme} ${Buffer.from(token).toString('base64')}`]);
    } catch (error) {
      if (!(error instanceof Refusal) && !isWinRmError(error)) throw error;
      this.#acceptor = null;
      // QUIRK: tinyproxy 1.11 says 401 to a wrong password of its own, and 407 to none.
      return crookedness === 'asks-with-401' ? question(asks, 401) : question(asks);
    }
  }

  /** The token that continues the conversation; null when the client is known. @throws Refusal, auth.malformed-token */
  #take(asks: readonly string[], scheme: string, text: string): Uint8Array | null {
    const known = asks.map((each) => each.split(' ', 1)[0] ?? '').find((each) => isSame(each, scheme));
    const { accounts } = this.#scene;
    if (known === 'Basic') {
      readBasic(text, accounts);
      return null;
    }
    if (known !== 'Negotiate' && known !== 'NTLM') throw new Refusal('a scheme that was not offered');
    if (this.#acceptor?.scheme !== known) {
      this.#acceptor = { scheme: known, of: new NegotiateAcceptor(accounts, 'PROXY', known) };
    }
    const step = this.#acceptor.of.step(new Uint8Array(Buffer.from(text, 'base64')));
    if (step.isFinished) step.peer.sealing?.destroy();
    return step.isFinished ? null : step.token;
  }
}

function question(asks: readonly string[], status: 401 | 407 = 407): Reply {
  const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
  const reason = status === 401 ? 'Unauthorized' : 'Proxy Authentication Required';
  const fields = asks.map((each) => [name, each] as const);
  return ownPage(status, reason, 'This proxy wants to know who you are.', fields);
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
