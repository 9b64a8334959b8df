/**
 * What a tab keeps of its sessions in its own storage, to find them again after a reload. Nothing in it opens anything:
 * no password, no key, no command, no line of output. The storage goes with the tab.
 */
import type { KeptRequest } from './session-entry.ts';
import type { Standing } from './survival.ts';

/** One session that is to be found again. */
export interface StoredSession {
  /** The worker that has it, if it is one that outlives its page. */
  readonly worker: string | null;
  /** Null where there is no shell to take up by its id. */
  readonly standing: Standing | null;
  /** Milliseconds since 1970. */
  readonly beganAt: number;
  /** When a page was last here. */
  readonly seenAt: number;
  /** What is to be said when the worker has gone. */
  readonly why: 'reload' | 'away' | 'update';
}

/** What a page says that waits for a sign-in: the page after it says the same. */
export type ToldReason = Pick<StoredSession, 'why' | 'seenAt'>;

/** A session with what it was asked for. */
export interface KeptSession extends Omit<StoredSession, 'why'> {
  readonly id: string;
  readonly request: KeptRequest;
  /** What was said already, since nobody has signed in. */
  readonly told?: ToldReason | null;
}

/** What a store needs around it. */
export interface SessionStoreParts {
  /** The tab's own storage; null where the browser refuses it. */
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null;
  /** Of this page. A page of another build cannot speak to the workers of this one. */
  readonly build: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

const KEY = 'fairlead.sessions';
const MAX_SESSIONS = 50;

/** A worker closes the shell when nobody has looked at it for this long. */
const WORKER_GRACE_MS = 20_000;

/** [MS-WSMV] 2.2.4.37, as sessions of ours ask for it: after this long without a request a server deletes a shell. */
const IDLE_SECONDS = 900;

/** The sessions of one tab. */
export class SessionStore {
  readonly #parts: SessionStoreParts;
  #written = '';

  constructor(parts: SessionStoreParts) {
    this.#parts = parts;
  }

  /** What an earlier page of this tab left, as far as there can be anything to find. */
  read(): (StoredSession & Pick<KeptSession, 'id' | 'request'>)[] {
    const kept = this.#parse();
    if (kept === null) return [];
    const now = this.#parts.clock();
    return kept.sessions.flatMap((session) => {
      const awayMs = now - session.seenAt;
      const idleMs = (session.request.shell.idleTimeoutSeconds ?? IDLE_SECONDS) * 1000;
      const standing = awayMs < idleMs ? session.standing : null;
      const isAway = session.worker !== null && awayMs > WORKER_GRACE_MS;
      const why = kept.build !== this.#parts.build ? 'update' : isAway ? 'away' : 'reload';
      const found = { ...session, standing, why, ...session.told } as const;
      return standing === null && session.worker === null ? [] : [found];
    });
  }

  /** Replaces what is kept. Secrets have been taken out of requests; commands and variables are taken out here. */
  write(sessions: readonly Omit<KeptSession, 'seenAt'>[]): void {
    const { storage, build, clock } = this.#parts;
    const seenAt = clock();
    const kept = sessions.slice(-MAX_SESSIONS).map((session) => ({
      ...session,
      request: withoutWords(session.request),
      seenAt: session.told?.seenAt ?? seenAt,
    }));
    try {
      if (kept.length === 0) storage?.removeItem(KEY);
      else storage?.setItem(KEY, JSON.stringify({ build, sessions: kept }));
    } catch {
      // Full or forbidden: a reload then finds nothing.
    }
  }

  /** The same, unless it is what was written last. */
  keep(sessions: readonly Omit<KeptSession, 'seenAt'>[]): void {
    const text = JSON.stringify(sessions.map(({ id, worker, standing }) => [id, worker, standing]));
    if (text === this.#written) return;
    this.#written = text;
    this.write(sessions);
  }

  #parse(): { readonly build: string; readonly sessions: readonly KeptSession[] } | null {
    try {
      const value: unknown = JSON.parse(this.#parts.storage?.getItem(KEY) ?? 'null');
      if (!isRecord(value) || typeof value['build'] !== 'string' || !Array.isArray(value['sessions'])) return null;
      return { build: value['build'], sessions: value['sessions'].slice(0, MAX_SESSIONS).filter(isKept) };
    } catch {
      return null;
    }
  }
}

/** A command line and variables may carry a secret; a shell that stands has no need of them. */
function withoutWords(request: KeptRequest): KeptRequest {
  const { kind, codePage, idleTimeoutSeconds } = request.shell;
  return {
    ...request,
    shell: { kind, codePage, ...(idleTimeoutSeconds === undefined ? {} : { idleTimeoutSeconds }) },
  };
}

function isKept(value: unknown): value is KeptSession {
  if (!isRecord(value)) return false;
  const { id, worker, standing, beganAt, seenAt, request, told = null } = value;
  return (
    typeof id === 'string' &&
    /^s\d{1,6}$/.test(id) &&
    (worker === null || (typeof worker === 'string' && worker.length < 100)) &&
    (standing === null || isStanding(standing)) &&
    (told === null || isTold(told)) &&
    typeof beganAt === 'number' &&
    typeof seenAt === 'number' &&
    isRequest(request)
  );
}

function isStanding(value: unknown): boolean {
  return isRecord(value) && ['shellId', 'commandId', 'promptWord'].every((name) => typeof value[name] === 'string');
}

const REASONS: readonly unknown[] = ['reload', 'away', 'update'] satisfies StoredSession['why'][];

function isTold(value: unknown): boolean {
  return isRecord(value) && REASONS.includes(value['why']) && typeof value['seenAt'] === 'number';
}

function isRequest(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { route, shell, proxies } = value;
  const hasWords = ['label', 'target', 'scheme', 'policy', 'user'].every((name) => typeof value[name] === 'string');
  const hasShell = isRecord(shell) && typeof shell['codePage'] === 'number' && typeof shell['kind'] === 'string';
  return hasWords && hasShell && isRecord(route) && Array.isArray(route['hops']) && Array.isArray(proxies);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
