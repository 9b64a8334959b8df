import { randomBytes } from 'node:crypto';
import { ntHash, upcase } from '../../protocol/src/auth/ntlm/_keys.ts';
import { equalBytesConstantTime } from '../../protocol/src/bytes/bytes.ts';

/** Somebody who may sign in to the host. */
export interface Account {
  readonly user: string;
  /** The NetBIOS name before the backslash; never empty. */
  readonly domain: string;
  /** Never empty: the host runs commands as the person who started it. */
  readonly password: string;
  /** Default true. Others are refused a shell with fault 5, as a Windows host refuses who is no administrator. */
  readonly isAdministrator?: boolean;
  /** SHA-256 thumbprints, in hex, of the client certificates that log on as this account; none by default. */
  readonly certificates?: readonly string[];
}

/** An account as the host keeps it: the NT hash in place of the password. */
export interface KnownAccount {
  readonly user: string;
  readonly domain: string;
  /** 16 bytes, as good as the password; never logged. */
  readonly ntHash: Uint8Array;
  readonly isAdministrator: boolean;
  /** SHA-256, upper-case hex. */
  readonly certificates: readonly string[];
}

/** The accounts of one host. They may be added while it runs. */
export class AccountBook {
  readonly #accounts: KnownAccount[] = [];

  /** Adds an account or replaces the one of the same name. @throws RangeError without user, domain or password */
  add(account: Account): void {
    for (const field of ['user', 'domain', 'password'] as const) {
      if (account[field] === '') throw new RangeError(`an account needs a ${field}`);
    }
    this.remove(account.user, account.domain);
    const { user, domain, password, isAdministrator = true } = account;
    const certificates = (account.certificates ?? []).map((each) => each.replace(/[: ]/g, '').toUpperCase());
    this.#accounts.push({ user, domain, ntHash: ntHash(password), isAdministrator, certificates });
  }

  /** Takes an account away; connections it already opened live on, as on Windows. */
  remove(user: string, domain: string): void {
    const at = this.#accounts.findIndex((known) => isSame(known.user, user) && isSame(known.domain, domain));
    if (at >= 0) this.#accounts.splice(at, 1)[0]?.ntHash.fill(0);
  }

  /**
   * The account an AUTHENTICATE message names: DOMAIN and user, the user alone (also as "."), or user@domain in the
   * user field. Case is ignored. Nobody is found as an account whose hash no password has, so that refusing a stranger
   * takes the same path as refusing a wrong password.
   */
  find(user: string, domain: string): KnownAccount {
    const isLocal = domain === '' || domain === '.';
    const at = user.lastIndexOf('@');
    const found = this.#accounts.find(
      (known) =>
        (isSame(known.user, user) && (isLocal || isSame(known.domain, domain))) ||
        (isLocal && at > 0 && isSame(known.user, user.slice(0, at)) && isSame(known.domain, user.slice(at + 1))),
    );
    return found ?? { user, domain, ntHash: NOBODY, isAdministrator: false, certificates: [] };
  }

  /** The account of a name with its password in the clear, or null. @param name user, DOMAIN\\user or user@domain */
  verify(name: string, password: string): KnownAccount | null {
    const [domain, user] = name.includes('\\') ? (name.split('\\', 2) as [string, string]) : ['', name];
    const account = this.find(user, domain);
    return equalBytesConstantTime(ntHash(password), account.ntHash) ? account : null;
  }

  /** The account a client certificate is mapped to, or null. @param sha256 upper-case hex */
  findByCertificate(sha256: string): KnownAccount | null {
    return this.#accounts.find((known) => known.certificates.includes(sha256)) ?? null;
  }
}

const NOBODY = new Uint8Array(randomBytes(16));

function isSame(a: string, b: string): boolean {
  return upcase(a) === upcase(b);
}
