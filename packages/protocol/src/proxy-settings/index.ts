/** Proxy settings as people have them. A door of its own, so that a page loads it only when somebody needs it. */
export { BypassList, type BypassSyntax } from './bypass.ts';
export { readEnvironment } from './environment.ts';
export { evaluatePac, MAX_PAC_CHARACTERS, type PacOptions, type PacVerdict, pacUrlOf } from './pac.ts';
export { type PacAnswer, readPacAnswer } from './pac-answer.ts';
export { printProxySettings } from './print.ts';
export { MAX_SETTINGS_CHARACTERS, readProxySettings } from './read.ts';
export {
  type ChosenRoutes,
  chooseRoutes,
  DIRECT,
  type ProxyPurpose,
  type ProxySettings,
  type RouteReason,
  routeThrough,
  type SettingsProxy,
  type SettingsSource,
  type SettingsWarning,
} from './settings.ts';
