import type { IncomingMessage, ServerResponse } from 'node:http';
import { LIFETIME_MS } from './store.ts';

/**
 * The cookie that keeps somebody signed in. Over https it is `Secure` and has the `__Host-` prefix, which keeps other
 * hosts from setting it; over http (loopback only) browsers allow neither, and its name carries the port, because
 * cookies of one host are shared by all its ports.
 */
export class SignInCookie {
  readonly #port: (() => number) | null;
  readonly #attributes: string;

  /** @param port asked once the server listens */
  constructor(isHttps: boolean, port: () => number) {
    this.#port = isHttps ? null : port;
    this.#attributes = `Path=/; HttpOnly; SameSite=Strict${isHttps ? '; Secure' : ''}`;
  }

  get #name(): string {
    return this.#port === null ? '__Host-fairlead' : `fairlead-${this.#port()}`;
  }

  /** The token a request carries, or null. */
  read(request: IncomingMessage): string | null {
    const name = this.#name;
    const found = (request.headers.cookie ?? '')
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1));
    const [token] = found;
    return found.length === 1 && token !== undefined && /^[A-Za-z0-9_-]{43}$/.test(token) ? token : null;
  }

  /** Hands a token out. */
  write(response: ServerResponse, token: string): void {
    const seconds = Math.floor(LIFETIME_MS / 1000);
    response.setHeader('Set-Cookie', `${this.#name}=${token}; Max-Age=${seconds}; ${this.#attributes}`);
  }

  /** Takes it back. */
  clear(response: ServerResponse): void {
    response.setHeader('Set-Cookie', `${this.#name}=; Max-Age=0; ${this.#attributes}`);
  }
}
