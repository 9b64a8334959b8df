import type { BadArgumentReason } from '../errors.ts';
import { fail } from '../errors.ts';

/** Longest name and longest password, in UTF-16 units: what Windows itself accepts. */
export const MAX_CREDENTIAL_CHARACTERS = 256;

const REDACTED = '[secret]';

/**
 * A text that nothing prints: not a template, not JSON, not Node's inspector.
 *
 * INVARIANT: `reveal` is called by a mechanism while it derives keys, and nowhere else.
 */
export class Secret {
  #text: string | null;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself. @throws misuse.wrong-state after `wipe` */
  reveal(): string {
    return this.#text ?? fail('misuse.wrong-state', { action: 'reveal', state: 'wiped' });
  }

  /** Forgets the text. A string cannot be zeroed; dropping the last reference is all the language offers. */
  wipe(): void {
    this.#text = null;
  }

  /** Never the text. */
  toString(): string {
    return REDACTED;
  }

  /** Never the text. */
  toJSON(): string {
    return REDACTED;
  }

  /** Never the text, for Node's `inspect` and so for its console. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}

/** Who a person is on a host. */
export interface Credential {
  /** The account, or a whole user principal name with its realm. */
  readonly user: string;
  /** The domain exactly as it was typed, or "". INVARIANT: never re-cased, because NTLMv2 hashes it as it is sent. */
  readonly domain: string;
  readonly secret: Secret;
}

/**
 * Reads a name as people type it: `DOMAIN\user`, `user@realm` (which stays whole, with no domain) or `user`.
 *
 * An empty user would be an anonymous logon, which WinRM never grants, and is refused here. [MS-NLMP] 3.2.5.1.2
 * @throws misuse.bad-argument naming `user`, `domain` or `password`
 */
export function parseCredential(name: string, password: string): Credential {
  const parts = name.split('\\');
  const user = parts.at(-1) ?? '';
  const domain = parts.length > 1 ? (parts[0] ?? '') : '';
  requireText('user', name);
  if (parts.length > 2 || user.startsWith('@') || user.endsWith('@')) refuse('user', 'malformed');
  if (user === '') refuse('user', 'empty');
  if (parts.length === 2 && domain === '') refuse('domain', 'empty');
  requireText('password', password);
  return { user, domain, secret: new Secret(password) };
}

function requireText(argument: string, text: string): void {
  if (text.length > MAX_CREDENTIAL_CHARACTERS) refuse(argument, 'too-long', MAX_CREDENTIAL_CHARACTERS);
  if (/\p{Cc}/u.test(text)) refuse(argument, 'control-character');
  if (/\p{Surrogate}/u.test(text)) refuse(argument, 'lone-surrogate');
}

function refuse(argument: string, reason: BadArgumentReason, limit?: number): never {
  fail('misuse.bad-argument', limit === undefined ? { argument, reason } : { argument, reason, limit });
}
