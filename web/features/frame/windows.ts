/** Which of the app-wide dialogs is open; one at a time, from wherever it was asked for. */
export type AppWindow =
  | { readonly kind: 'palette' }
  | { readonly kind: 'settings'; readonly part?: 'certificates' }
  | { readonly kind: 'routes' }
  /** The demo: opened at once, or its maze to choose from. */
  | { readonly kind: 'demo'; readonly scheme?: 'https'; readonly isMaze?: true }
  | { readonly kind: 'connect'; readonly targetId: string | null; readonly part: 'server' | 'route' }
  /** Filled as a session's request was, at the fields of the proxy that asked. */
  | { readonly kind: 'connect'; readonly targetId: null; readonly part: 'proxy'; readonly sessionId: string };

let open: AppWindow | null = null;
const listeners = new Set<() => void>();

/** Opens one of the app-wide dialogs, or closes with null. */
export function openWindow(next: AppWindow | null): void {
  open = next;
  for (const listener of listeners) listener();
}

/** The one that is open, or null. */
export function openedWindow(): AppWindow | null {
  return open;
}

/** Calls back after each change until the returned function is called. */
export function watchWindow(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
