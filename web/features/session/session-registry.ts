import type { JournalEvent, ProxyRoute, SessionState, TrustAnswer, WinRmError } from '@fairlead/protocol';
import { useSyncExternalStore } from 'react';
import {
  findCertificate,
  findDemoPassword,
  findPassword,
  forgetPassword,
  keepCertificate,
  keepPassword,
} from '../../lib/vault.ts';
import {
  type ConnectRequest,
  type Divider,
  type EntryParts,
  isOver,
  LiveEntry,
  type SessionEntry,
  type ShellChange,
} from './live-entry.ts';

import { SessionStore } from './session-store.ts';

export type { ConnectRequest, Divider, SessionEntry } from './live-entry.ts';
export type { StepView } from './progress.ts';

/** The sessions of this tab of the browser. They live as long as the page does, whatever screen is shown. */
export class SessionRegistry {
  readonly #parts: EntryParts;
  readonly #live = new Map<string, LiveEntry>();
  readonly #listeners = new Set<() => void>();
  readonly #store: SessionStore | null;
  #entries: readonly SessionEntry[] = [];
  #lastId = 0;

  /** @param store what a later page of the same tab finds them by */
  constructor(parts: EntryParts, store: SessionStore | null = null) {
    this.#parts = parts;
    this.#store = store;
  }

  /** Looks for the sessions of an earlier page of this tab. */
  comeBack(): void {
    for (const { id, request, ...stored } of this.#store?.read() ?? []) {
      this.#lastId = Math.max(this.#lastId, Number(id.slice(1)));
      const live = new LiveEntry(id, request, this.#parts, () => this.#refresh());
      this.#live.set(id, live);
      live.comeBack(stored);
    }
  }

  /** The page goes: what can outlive it does. */
  depart(): void {
    this.#write();
    for (const live of this.#live.values()) live.depart();
  }

  /** The machine has a network again. */
  online(): void {
    for (const live of this.#live.values()) live.online();
  }

  /** Tries now what a session tries again in a while. */
  hurry(id: string): void {
    this.#live.get(id)?.hurry();
  }

  /** Brings a session back that another tab of this browser has taken over. */
  bringBack(id: string): void {
    this.#live.get(id)?.bringBack();
  }

  /** Gives up the shell that may still stand: what is opened next is a new one. */
  forgetStanding(id: string): void {
    this.#live.get(id)?.forgetStanding();
  }

  /** Oldest first. The same array until something changes. */
  get entries(): readonly SessionEntry[] {
    return this.#entries;
  }

  /** Opens a session and returns its id. What goes wrong is told by the entry's state. */
  connect(request: ConnectRequest): string {
    const { password, certificate, proxyPasswords, ...kept } = request;
    this.#lastId += 1;
    const id = `s${this.#lastId}`;
    const live = new LiveEntry(id, kept, this.#parts, () => this.#refresh());
    this.#live.set(id, live);
    if (certificate !== null) keepCertificate(passwordKey(request), certificate);
    else if (!request.isDemo) keepPassword(passwordKey(request), password);
    for (const [i, proxyPassword] of proxyPasswords.entries()) {
      const key = proxyPasswordKey(request, i);
      if (key !== null) keepPassword(key, proxyPassword);
    }
    live.start({ password, certificate, proxyPasswords });
    return id;
  }

  /** Tries again in the same tab: the old output stays above a line. */
  retry(id: string, password: string, change: ShellChange = {}): void {
    const live = this.#live.get(id);
    if (live === undefined) return;
    const { request } = live.snapshot;
    const certificate = request.policy === 'certificate' ? findCertificate(passwordKey(request)) : null;
    if (!request.isDemo && request.policy !== 'certificate') keepPassword(passwordKey(request), password);
    const proxyPasswords = request.proxies.map((_proxy, i) => {
      const key = proxyPasswordKey(request, i);
      return (key && findPassword(key)) ?? '';
    });
    live.start({ password, certificate, proxyPasswords }, change);
  }

  /** Answers an attempt's question about a host that is met for the first time. */
  answer(id: string, answer: TrustAnswer): void {
    this.#live.get(id)?.answer(answer);
  }

  /** Gives up an attempt. */
  cancel(id: string): void {
    this.#live.get(id)?.cancel();
  }

  /** Closes a tab; resolves to whether the server has said that the shell there was deleted. */
  async close(id: string): Promise<boolean> {
    const live = this.#live.get(id);
    if (live === undefined) return false;
    const { journal } = live.snapshot;
    this.#live.delete(id);
    this.#refresh();
    await live.close();
    return journal?.entries.some(({ what }) => isDeletion(what)) ?? false;
  }

  /** Calls back after each change until the returned function is called. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #refresh(): void {
    this.#entries = [...this.#live.values()].map((live) => live.snapshot);
    for (const { request, state } of this.#entries) {
      // A password that was rejected is of no use for a second try.
      if (isRejected(state)) forgetPassword(passwordKey(request));
      const proxyKey = proxyPasswordKey(request, rejectingHop(state));
      if (proxyKey !== null) forgetPassword(proxyKey);
    }
    this.#store?.keep(this.#kept());
    for (const listener of this.#listeners) listener();
  }

  #write(): void {
    this.#store?.write(this.#kept());
  }

  #kept() {
    return this.#entries
      .filter(({ worker, standing, state }) => standing !== null || (worker !== null && !isOver(state)))
      .map(({ id, worker, standing, beganAt, request, returning }) => {
        const told = returning?.step === 'sign-in' ? { why: returning.why, seenAt: returning.seenAt } : null;
        return { id, worker, standing, beganAt, request, told };
      });
  }
}

/** The key under which the vault keeps a session's password or certificate for this tab. */
export function passwordKey(request: Pick<ConnectRequest, 'user' | 'target'>): string {
  return `${request.target}|${request.user}`;
}

/**
 * The key under which the vault keeps the password for one proxy of a road, counted from 0: no other proxy's, and no
 * server's. Null where that proxy gets no sign-in.
 */
export function proxyPasswordKey(
  { route, proxies }: { readonly route: ProxyRoute; readonly proxies: readonly ({ readonly user: string } | null)[] },
  at: number,
): string | null {
  const [hop, proxy] = [route.hops[at], proxies[at]];
  return hop === undefined || !proxy ? null : `proxy|${hop.host}|${hop.port}|${proxy.user}`;
}

/** The password to reconnect with, when this tab still knows it; "" where a certificate stands for it. */
export async function knownPassword(entry: SessionEntry): Promise<string | null> {
  if (entry.request.policy === 'certificate') return findCertificate(passwordKey(entry.request)) === null ? null : '';
  return entry.request.isDemo ? findDemoPassword() : findPassword(passwordKey(entry.request));
}

/** The error a session ended with, if it did. */
export function endError(state: SessionState): WinRmError | null {
  return isOver(state) && state.at !== 'ended' ? state.error : null;
}

function isDeletion(what: JournalEvent): boolean {
  return what.event === 'exchange' && what.operation === 'Delete' && what.status === 200;
}

function isRejected(state: SessionState): boolean {
  return endError(state)?.code === 'auth.rejected';
}

/** The proxy that rejected its password, counted from 0; -1 when none did. */
function rejectingHop(state: SessionState): number {
  const error = endError(state);
  if (error?.code !== 'proxy.auth-rejected' || !('hop' in error.details)) return -1;
  return error.details.hop - 1;
}

let words: (divider: Divider) => string = (divider) => divider.at;

/** Sets the words of the line drawn into the output at an end; the page knows the reader's language. */
export function setDividerWords(next: (divider: Divider) => string): void {
  words = next;
}

function tabStorage(): Storage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

// The protocol and the terminal come when the first session is opened: the first screen needs neither.
const registry = new SessionRegistry(
  {
    relay: globalThis.location?.host ?? '',
    dividerWords: (divider) => words(divider),
    openSession: async (request, more) => (await import('./engine.ts')).openSession(request, more),
    findSession: async (worker) => (await import('./engine.ts')).findSession(worker),
    loadShell: async (entry) => (await import('./engine.ts')).loadShell(entry),
  },
  new SessionStore({ storage: tabStorage(), build: process.env.FAIRLEAD_VERSION ?? '', clock: Date.now }),
);

if (globalThis.document !== undefined) {
  registry.comeBack();
  addEventListener('pagehide', () => registry.depart());
  // A page that comes out of the browser's cache has let go of its sessions; it looks for them as after a reload.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted && registry.entries.length > 0) location.reload();
  });
  addEventListener('online', () => registry.online());
}

/** Opens a session and returns its id. What goes wrong is told by the entry's state. */
export function connect(request: ConnectRequest): string {
  return registry.connect(request);
}

/** Answers a session's question about a host that is met for the first time. */
export function answerTrust(id: string, answer: TrustAnswer): void {
  registry.answer(id, answer);
}

/** Gives up an attempt under way. */
export function cancel(id: string): void {
  registry.cancel(id);
}

/** Closes a session and its tab; resolves to whether the server has said that the shell there was deleted. */
export function closeSession(id: string): Promise<boolean> {
  return registry.close(id);
}

/** Tries again in the same tab, with another code page if need be. */
export function retry(id: string, password: string, change: ShellChange = {}): void {
  registry.retry(id, password, change);
}

/** Tries now what a session tries again in a while. */
export function hurrySession(id: string): void {
  registry.hurry(id);
}

/** Brings a session back that another tab of this browser has taken over. */
export function bringSessionBack(id: string): void {
  registry.bringBack(id);
}

/** Gives up the shell that may still stand: what is opened next is a new one. */
export function forgetStanding(id: string): void {
  registry.forgetStanding(id);
}

const NONE: readonly SessionEntry[] = [];
const watch = (listener: () => void) => registry.watch(listener);

/** Every session of this tab, oldest first. */
export function useSessions(): readonly SessionEntry[] {
  return useSyncExternalStore(
    watch,
    () => registry.entries,
    () => NONE,
  );
}

/** One session, or null. */
export function useSession(id: string): SessionEntry | null {
  return useSyncExternalStore(
    watch,
    () => registry.entries.find((entry) => entry.id === id) ?? null,
    () => null,
  );
}
