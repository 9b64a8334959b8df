/**
 * What a person set for this browser: looks only, never a secret. Kept in localStorage; a broken or forbidden storage
 * gives the defaults.
 */

/** `system` follows the operating system's wish, also for more contrast. */
export const THEMES = ['system', 'light', 'dark', 'contrast'] as const;
/** How tightly rows and controls are set. */
export const DENSITIES = ['comfortable', 'compact'] as const;
/** Percent of the browser's own text size. */
export const TEXT_SIZES = ['100', '112', '125'] as const;
/** Colours of the terminal; `auto` follows the theme. */
export const PALETTES = ['auto', 'campbell', 'one-half-dark', 'one-half-light', 'colour-safe'] as const;
/** Sizes of terminal text in CSS pixels. */
export const TERMINAL_SIZES = [12, 13, 14, 16, 18, 20] as const;

/** A theme as chosen. */
export type Theme = (typeof THEMES)[number];
/** A theme as painted. */
export type PaintedTheme = Exclude<Theme, 'system'>;

/** Everything a person can set. */
export interface Preferences {
  readonly theme: Theme;
  readonly density: (typeof DENSITIES)[number];
  readonly textSize: (typeof TEXT_SIZES)[number];
  readonly palette: (typeof PALETTES)[number];
  readonly terminalPx: number;
  /** Ask before several lines are pasted into a shell. */
  readonly pasteGuard: boolean;
}

/** What holds before anything was set. */
export const DEFAULT_PREFERENCES: Preferences = {
  theme: 'system',
  density: 'comfortable',
  textSize: '100',
  palette: 'auto',
  terminalPx: 14,
  pasteGuard: true,
};

/** Key in localStorage; `public/theme.js` reads it too. */
export const PREFERENCES_KEY = 'fairlead.preferences';

/** Reads what was stored; anything unknown or malformed becomes its default, so an old page never breaks a new one. */
export function parsePreferences(text: string | null): Preferences {
  let stored: unknown;
  try {
    stored = JSON.parse(text ?? '{}');
  } catch {
    stored = {};
  }
  const from = (typeof stored === 'object' && stored !== null ? stored : {}) as Record<string, unknown>;
  const oneOf = <Value>(allowed: readonly Value[], value: unknown, otherwise: Value): Value =>
    allowed.find((candidate) => candidate === value) ?? otherwise;
  const preset = DEFAULT_PREFERENCES;
  return {
    theme: oneOf(THEMES, from['theme'], preset.theme),
    density: oneOf(DENSITIES, from['density'], preset.density),
    textSize: oneOf(TEXT_SIZES, from['textSize'], preset.textSize),
    palette: oneOf(PALETTES, from['palette'], preset.palette),
    terminalPx: oneOf<number>(TERMINAL_SIZES, from['terminalPx'], preset.terminalPx),
    pasteGuard: typeof from['pasteGuard'] === 'boolean' ? from['pasteGuard'] : preset.pasteGuard,
  };
}

/** The theme to paint, given what the system wishes. */
export function paintedTheme(theme: Theme, system: { dark: boolean; moreContrast: boolean }): PaintedTheme {
  if (theme !== 'system') return theme;
  if (system.moreContrast) return 'contrast';
  return system.dark ? 'dark' : 'light';
}

let current: Preferences | null = null;
const listeners = new Set<() => void>();

/** What holds now. The same object until something changes. */
export function readPreferences(): Preferences {
  if (current === null) {
    let text: string | null = null;
    try {
      text = globalThis.localStorage?.getItem(PREFERENCES_KEY) ?? null;
    } catch {
      text = null;
    }
    current = parsePreferences(text);
  }
  return current;
}

/** Changes some of it, stores it where storage is allowed, and tells everyone who watches. */
export function changePreferences(change: Partial<Preferences>): void {
  current = { ...readPreferences(), ...change };
  try {
    globalThis.localStorage?.setItem(PREFERENCES_KEY, JSON.stringify(current));
  } catch {
    // Kept for the life of the tab.
  }
  for (const listener of listeners) listener();
}

/** Forgets what was stored and goes back to the defaults. */
export function resetPreferences(): void {
  changePreferences(DEFAULT_PREFERENCES);
}

/** Calls back after each change until the returned function is called. */
export function watchPreferences(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
