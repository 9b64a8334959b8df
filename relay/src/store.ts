import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { hashToken, makeToken } from './access.ts';
import { cannotKeepData, makeDataFolder } from './store-folder.ts';

/** A sign-in that nobody uses ends after this long. */
export const IDLE_MS = 12 * 3600_000;

/** A sign-in ends after this long, used or not. */
export const LIFETIME_MS = 7 * 24 * 3600_000;

/** Use is written down at most this often. */
const TOUCH_MS = 60_000;

/** Most sign-ins kept; past it the longest unused ends. */
const MAX_SIGN_INS = 1000;

/** Somebody who is signed in. `id` is the hash of the cookie's token, never the token. */
export interface SignIn {
  readonly id: string;
  readonly person: string;
}

/**
 * Sign-ins that survive a restart, by hash. Times are milliseconds since 1970. Statements are prepared once: each costs
 * some KiB outside the JavaScript heap, and every request asks who somebody is.
 */
export class Store {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #deleteOld: StatementSync;
  readonly #deleteSurplus: StatementSync;
  readonly #select: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;

  /** @param database with the table in it */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare('insert into sign_in (id, person, began_at, seen_at) values (?, ?, ?, ?)');
    this.#deleteOld = database.prepare('delete from sign_in where seen_at <= ? or began_at <= ?');
    this.#deleteSurplus = database.prepare(
      'delete from sign_in where id not in (select id from sign_in order by seen_at desc limit ?)',
    );
    this.#select = database.prepare('select person, began_at, seen_at from sign_in where id = ?');
    this.#update = database.prepare('update sign_in set seen_at = ? where id = ?');
    this.#delete = database.prepare('delete from sign_in where id = ?');
  }

  /** Begins a sign-in and returns the cookie's token, which is kept nowhere. */
  begin(person: string, now: number): string {
    const token = makeToken();
    this.#insert.run(hashToken(token), person, now, now);
    this.#deleteOld.run(now - IDLE_MS, now - LIFETIME_MS);
    this.#deleteSurplus.run(MAX_SIGN_INS);
    return token;
  }

  /** Who holds a token, if it still counts; using it keeps it alive. */
  find(token: string, now: number): SignIn | null {
    return this.touch(hashToken(token), now);
  }

  /** The same by id, for a connection that outlives the request it began with. */
  touch(id: string, now: number): SignIn | null {
    const row = this.#select.get(id);
    if (row === undefined) return null;
    const [person, beganAt, seenAt] = [String(row['person']), Number(row['began_at']), Number(row['seen_at'])];
    if (now - seenAt >= IDLE_MS || now - beganAt >= LIFETIME_MS) {
      this.end(id);
      return null;
    }
    if (now - seenAt >= TOUCH_MS) this.#update.run(now, id);
    return { id, person };
  }

  /** Whether a sign-in still counts; asking does not keep it alive. */
  isValid(id: string, now: number): boolean {
    const row = this.#select.get(id);
    return row !== undefined && now - Number(row['seen_at']) < IDLE_MS && now - Number(row['began_at']) < LIFETIME_MS;
  }

  /** Ends a sign-in. */
  end(id: string): void {
    this.#delete.run(id);
  }

  /** Closes the file. */
  close(): void {
    this.#database.close();
  }
}

/** Opens `relay.sqlite` in a folder that only its owner may enter. @throws StartError */
export function openStore(folder: string): Store {
  makeDataFolder(folder);
  try {
    const before = process.umask(0o077);
    try {
      return new Store(prepare(new DatabaseSync(join(folder, 'relay.sqlite'))));
    } finally {
      process.umask(before);
    }
  } catch (cause) {
    throw cannotKeepData(folder, cause);
  }
}

function prepare(database: DatabaseSync): DatabaseSync {
  database.exec(`
    pragma journal_mode = wal;
    pragma synchronous = normal;
    create table if not exists sign_in (
      id text primary key,
      person text not null,
      began_at integer not null,
      seen_at integer not null
    ) strict;
  `);
  return database;
}
