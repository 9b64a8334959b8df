let isUsed = false;
const listeners = new Set<() => void>();

/** Whether this tab has opened any session yet; until then the session's code need not be fetched. */
export function everConnected(): boolean {
  return isUsed;
}

/** Says that a session was opened. */
export function markConnected(): void {
  isUsed = true;
  for (const listener of listeners) listener();
}

/** Calls back when the first session is opened, until the returned function is called. */
export function watchConnected(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
