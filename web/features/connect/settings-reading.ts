/** What runs where settings are read: in a worker, so that no script's length is felt. Fetched when it is wanted. */
import type { ProxyRoute, RouteTarget } from '@fairlead/protocol';
import {
  chooseRoutes,
  evaluatePac,
  printProxySettings,
  type RouteReason,
  readProxySettings,
  type SettingsSource,
  type SettingsWarning,
} from '@fairlead/protocol/proxy-settings';
import { seemsToHoldPassword } from '../../lib/password-in-text.ts';

/** What settings mean for one server. */
export interface SettingsAnswer {
  /** In the order in which they are to be tried; a road without proxies is the direct one. */
  readonly routes: readonly ProxyRoute[];
  /** `script` where a PAC file's own code decided. */
  readonly why: RouteReason | 'script';
  /** A PAC file's own words; "" where there is none. */
  readonly raw: string;
  /** Names a PAC file wanted resolved, which nobody did. */
  readonly unresolved: readonly string[];
  /** What a PAC file said to whoever watches. */
  readonly alerts: readonly string[];
}

/** What a text was recognised as. */
export interface SettingsReading {
  readonly source: SettingsSource | 'pac';
  readonly warnings: readonly SettingsWarning[];
  /** A PAC file that must be asked first. */
  readonly pacUrl: string | null;
  /** Null where there is no server to ask about. */
  readonly answer: SettingsAnswer | null;
  /** What may be kept to read the same again. Null: a password might stand in it. */
  readonly keep: string | null;
}

/** What is asked of the reader. */
export interface SettingsQuestion {
  readonly text: string;
  readonly target: RouteTarget | null;
  /** Milliseconds since 1970, for scripts that ask for the time. */
  readonly nowMs: number;
}

/**
 * Reads settings, or a PAC file, for one server.
 *
 * @throws settings.unreadable, pac.*
 */
export function readSettings({ text, target, nowMs }: SettingsQuestion): SettingsReading {
  if (isPacScript(text)) {
    if (target === null) return { source: 'pac', warnings: [], pacUrl: null, answer: null, keep: keepable(text) };
    const { routes, raw, asked, alerts, warnings } = evaluatePac(text, target, { nowMs });
    const answer = { routes, raw, unresolved: asked, alerts, why: 'script' } as const;
    const hasPassword = warnings.some((warning) => warning.code === 'credentials-dropped');
    return { source: 'pac', warnings, pacUrl: null, answer, keep: hasPassword ? null : keepable(text) };
  }
  const settings = readProxySettings(text);
  const { source, warnings, pacUrl } = settings;
  const nothingSaid = { raw: '', unresolved: [], alerts: [] };
  const answer = target && { ...chooseRoutes(settings, target), ...nothingSaid };
  // Not what was pasted: passwords stand in that, or next to it.
  return { source, warnings, pacUrl, answer, keep: printProxySettings(settings) };
}

/** A script has to be kept as it is, or not at all. */
function keepable(script: string): string | null {
  return seemsToHoldPassword(script) ? null : script;
}

/** Every PAC file defines that function, and no other settings name it. */
export function isPacScript(text: string): boolean {
  return /\bFindProxyForURL(?:Ex)?\b/.test(text);
}
