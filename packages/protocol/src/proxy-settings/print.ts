import { printAuthority } from '../road/authority.ts';
import type { Hop } from '../road/route.ts';
import { readProxySettings } from './read.ts';
import { DIRECT, type ProxyPurpose, type ProxySettings, routeThrough } from './settings.ts';

/**
 * Settings as a text that `readProxySettings` reads as the same settings. Whoever keeps settings keeps this and not what
 * was pasted, in which passwords, or a whole environment, may stand. Null when they cannot be said like this.
 */
export function printProxySettings(settings: ProxySettings): string | null {
  const text = FORMS[settings.source](settings);
  if (isSame(text, settings)) return text;
  // Without a proxy every target goes directly, whatever the exceptions are.
  return settings.proxies.length === 0 && settings.pacUrl === null ? DIRECT.name : null;
}

function isSame(text: string, settings: ProxySettings): boolean {
  try {
    return says(readProxySettings(text)) === says(settings);
  } catch {
    return false;
  }
}

/** What two readings must have in common to lead every target the same way. */
function says({ source, direct, proxies, bypass, pacUrl }: ProxySettings): string {
  const { entries, isLoopbackDirect, isLinkLocalDirect } = bypass;
  return JSON.stringify([source, direct, proxies, entries, isLoopbackDirect, isLinkLocalDirect, pacUrl]);
}

const FORMS: Readonly<Record<ProxySettings['source'], (settings: ProxySettings) => string>> = {
  netsh: (settings) =>
    `WinHTTP\n  Proxy Server(s) :  ${serverList(settings)}\n  Bypass List     :  ${bypassList(settings)}`,
  'netsh-json': (settings) => {
    const fields = { Proxy: serverList(settings), ProxyBypass: bypassList(settings), AutoconfigUrl: settings.pacUrl };
    return JSON.stringify(fields, null, 1);
  },
  registry: registryForm,
  wininet: ({ proxies }) => serversOf(proxies),
  environment: ({ proxies, bypass }) =>
    [
      ...proxies.map(({ for: purpose, hop }) => `${purpose}_proxy=${proxyUrl(hop)}`),
      `no_proxy=${bypass.entries.join(',')}`,
    ].join('\n'),
  'pac-url': ({ pacUrl }) => pacUrl ?? '',
  url: ({ proxies }) => proxies.map(({ hop }) => proxyUrl(hop)).join(),
  'pac-answer': ({ proxies, direct }) =>
    [...proxies.map(({ hop }) => routeThrough(hop)), ...(direct ? [DIRECT] : [])].map(({ name }) => name).join('; '),
};

function registryForm(settings: ProxySettings): string {
  const { proxies, pacUrl } = settings;
  return [
    ...(proxies.length > 0 ? [`ProxyServer : ${serversOf(proxies)}`] : ['ProxyEnable : 0']),
    `ProxyOverride : ${bypassList(settings)}`,
    ...(pacUrl === null ? [] : [`AutoConfigURL : ${pacUrl}`]),
  ].join('\n');
}

function serverList({ proxies }: ProxySettings): string {
  return proxies.length === 0 ? '' : serversOf(proxies);
}

function serversOf(proxies: readonly { readonly for: ProxyPurpose; readonly hop: Hop }[]): string {
  return proxies
    .map(({ for: purpose, hop }) => (purpose === 'all' ? proxyUrl(hop) : `${purpose}=${proxyUrl(hop)}`))
    .join(';');
}

function bypassList({ bypass }: ProxySettings): string {
  return [...bypass.entries, ...(bypass.isLoopbackDirect ? [] : ['<-loopback>'])].join(';');
}

function proxyUrl(hop: Hop): string {
  const scheme = hop.kind === 'socks5' ? 'socks5' : hop.tls === true ? 'https' : 'http';
  return `${scheme}://${printAuthority(hop)}`;
}
