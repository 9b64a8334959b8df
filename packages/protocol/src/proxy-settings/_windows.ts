import { fail } from '../errors.ts';
import { Findings, readPacUrl } from './_proxy-url.ts';
import { BypassList } from './bypass.ts';
import type { ProxyPurpose, ProxySettings, SettingsSource } from './settings.ts';

/** What WinINET and WinHTTP keep, whatever form it was pasted in. Null: nothing was said about it. */
interface WindowsValues {
  readonly isEnabled: boolean | null;
  readonly server: string | null;
  readonly override: string | null;
  readonly pacUrl: string | null;
  readonly isPacEnabled: boolean | null;
  readonly autoDetect: boolean;
  /** Names of the settings, as this form has them. */
  readonly names: { readonly server: string; readonly override: string; readonly pacUrl: string };
}

const PURPOSES = new Map(
  (['http', 'https', 'socks', 'all'] satisfies ProxyPurpose[]).map((word) => [String(word), word]),
);

/**
 * Makes settings of Windows' values. ProxyServer is "host:port" for everything or "http=a:1;https=b:2;socks=c:3", with
 * semicolons or blanks between (WINHTTP_PROXY_INFO, INTERNET_PROXY_INFO). `socks=` there does not say a version.
 *
 * @throws settings.unreadable
 */
function windowsSettings(source: SettingsSource, values: WindowsValues): ProxySettings {
  const found = new Findings();
  const { names } = values;
  const isOff = values.isEnabled === false;
  if (isOff && values.server !== null) found.warn('switched-off', names.server);
  if (!isOff && values.server !== null) addServers(values.server, names.server, found);
  if (values.autoDetect) found.warn('auto-detect', 'none');
  const pac = values.pacUrl === null || values.isPacEnabled === false ? null : readPacUrl(values.pacUrl);
  if (values.pacUrl !== null && values.isPacEnabled !== false && pac === null) {
    fail('settings.unreadable', { reason: 'not-a-url', setting: names.pacUrl });
  }
  if (pac?.hadCredentials === true) found.warn('credentials-dropped', names.pacUrl);
  if (pac !== null && found.proxies.length > 0) found.warn('pac-first', names.pacUrl);
  const bypass = BypassList.parse(values.override ?? '', 'windows');
  if (bypass.unreadCount > 0) found.warn('bypass-unread', names.override, String(bypass.unreadCount));
  return {
    source,
    direct: found.proxies.length === 0 && pac === null,
    proxies: found.proxies,
    bypass,
    pacUrl: pac?.url ?? null,
    warnings: found.warnings,
  };
}

function addServers(text: string, setting: string, found: Findings): void {
  // A password with a blank in it would fall apart, and its first half look like a host and port.
  if (/@/.test(text) && /\s/.test(text)) fail('settings.unreadable', { reason: 'not-a-proxy', setting });
  for (const part of text.split(/[;\s]+/).filter((word) => word !== '')) {
    const shape = /^([A-Za-z]+)=(.*)$/.exec(part);
    if (shape === null) {
      found.addProxy(part, 'all', setting);
      continue;
    }
    const word = (shape[1] as string).toLowerCase();
    const purpose = PURPOSES.get(word);
    if (purpose === undefined) found.warn('other-scheme', `${word}=`);
    else found.addProxy(shape[2] as string, purpose, `${word}=`, purpose === 'socks' ? 'socks' : 'http');
  }
}

/** A line "http=a:1;https=b:2" or "a:1;b:2" as it stands in a dialog or a document. @throws settings.unreadable */
export function readWininetLine(text: string): ProxySettings {
  return windowsSettings('wininet', { ...NOTHING, server: text, names: REGISTRY_NAMES });
}

/**
 * The values under "Internet Settings": lines of `reg query`, of a .reg file, of Get-ItemProperty, whose long values go
 * on in the next line. Null when no line is one of them.
 *
 * @throws settings.unreadable
 */
export function readRegistry(text: string): ProxySettings | null {
  const values = new Map<string, string>();
  let last: string | null = null;
  for (const line of text.split(/\r?\n/)) {
    const shape = REGISTRY_LINE.exec(line);
    if (shape !== null) {
      last = (shape[1] as string).toLowerCase();
      if (!values.has(last)) values.set(last, registryValue(shape[2] as string));
    } else if (last !== null && /^\s{8,}\S/.test(line) && !/^\s+\S+\s*:\s/.test(line) && !/\sREG_/.test(line)) {
      values.set(last, (values.get(last) ?? '') + line.trim());
    } else last = null;
  }
  if (values.size === 0) return null;
  const value = (name: string): string | null => {
    const written = values.get(name);
    return written === undefined || written === '' ? null : written;
  };
  const flag = (name: string): boolean | null => {
    const written = value(name);
    return written === null ? null : /^(?:0x|dword:)?0*1$/i.test(written);
  };
  return windowsSettings('registry', {
    isEnabled: flag('proxyenable'),
    server: value('proxyserver'),
    override: value('proxyoverride'),
    pacUrl: value('autoconfigurl'),
    isPacEnabled: null,
    autoDetect: flag('autodetect') === true,
    names: REGISTRY_NAMES,
  });
}

function registryValue(text: string): string {
  const quoted = /^"(.*)"$/.exec(text.trim());
  return quoted === null ? text.trim() : (quoted[1] as string).replace(/\\(["\\])/g, '$1');
}

/** `netsh winhttp show advproxy`: a heading and one JSON object. Null when there is none. @throws settings.unreadable */
export function readAdvancedProxy(text: string): ProxySettings | null {
  const from = text.indexOf('{');
  const to = text.lastIndexOf('}');
  if (from < 0 || to < from) return null;
  const fields = jsonFields(text.slice(from, to + 1));
  const known = ['proxy', 'proxybypass', 'autoconfigurl', 'autodetect', 'proxyisenabled'];
  if (fields === null || !known.some((name) => fields.has(name))) return null;
  const word = (name: string): string | null => {
    const value = fields.get(name);
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
  };
  const flag = (name: string): boolean | null => {
    const value = fields.get(name);
    return typeof value === 'boolean' ? value : null;
  };
  return windowsSettings('netsh-json', {
    isEnabled: flag('proxyisenabled'),
    server: word('proxy'),
    override: word('proxybypass'),
    pacUrl: word('autoconfigurl'),
    isPacEnabled: flag('autoconfigisenabled'),
    autoDetect: flag('autodetect') === true,
    names: { server: 'Proxy', override: 'ProxyBypass', pacUrl: 'AutoconfigUrl' },
  });
}

function jsonFields(text: string): ReadonlyMap<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]));
  } catch {
    return null;
  }
}

/**
 * `netsh winhttp show proxy` and `proxycfg`, in any language: the product's name stands in the heading of all of them,
 * and below it are either lines "label : value", first the proxies and then the exceptions, or one sentence, which says
 * that there is no proxy. A value in parentheses says "none". Null when the text is nothing of the kind.
 *
 * @throws settings.unreadable
 */
export function readWinHttp(text: string): ProxySettings | null {
  const lines = text.split(/\r?\n/);
  // The last mention is the heading; what was typed may stand before it.
  const heading = lines.findLastIndex((line) => /winhttp/i.test(line));
  if (heading < 0) return null;
  const below = lines.slice(heading + 1).filter((line) => line.trim() !== '');
  const values = below.map(labelledValue).filter((value) => value !== null);
  if (values.length === 0) {
    // One indented sentence, without a colon. Anything else would be somebody's prose about WinHTTP.
    const sentences = below.filter((line) => /^\s+\S/.test(line));
    return sentences.length === 1 ? windowsSettings('netsh', { ...NOTHING, names: NETSH_NAMES }) : null;
  }
  const word = (at: number): string | null => {
    const value = values[at];
    return value === undefined || /^[(（].*[)）]$/.test(value) ? null : value;
  };
  return windowsSettings('netsh', { ...NOTHING, server: word(0), override: word(1), names: NETSH_NAMES });
}

const REGISTRY_NAMES = { server: 'ProxyServer', override: 'ProxyOverride', pacUrl: 'AutoConfigURL' } as const;
const NETSH_NAMES = { server: 'Proxy Server(s)', override: 'Bypass List', pacUrl: '' } as const;
const NOTHING = {
  ...{ isEnabled: null, server: null, override: null, pacUrl: null, isPacEnabled: null },
  autoDetect: false,
} as const;

/** "    ProxyEnable    REG_DWORD    0x1", "\"ProxyEnable\"=dword:00000001", "ProxyEnable : 1". */
const REGISTRY_LINE =
  /^\s*"?(ProxyEnable|ProxyServer|ProxyOverride|AutoConfigURL|AutoDetect)"?(?:\s+REG_[A-Z_]+(?:\s+|$)|\s*[=:]\s*)(.*)$/i;

/**
 * The value of an indented line "label : value"; null when it is none. The label ends at a colon with a blank behind it,
 * so that "proxy:8080" is none; Chinese has a wide colon. One in parentheses belongs to the label: "Proxy (http:80) : a".
 * Looked for from the left, once: a pattern for this would try every way to part the blanks.
 */
function labelledValue(line: string): string | null {
  if (!/^\s/.test(line)) return null;
  const first = line.search(/[:：]/);
  if (first < 0) return null;
  let end = first;
  if (!endsLabel(line, end)) {
    const close = line.slice(0, first).includes('(') ? line.indexOf(')', first) : -1;
    end = close + 1 + line.slice(close + 1).search(/\S/);
    if (close < 0 || !endsLabel(line, end)) return null;
  }
  const value = line.slice(end + 1).trim();
  return value === '' ? null : value;
}

function endsLabel(line: string, at: number): boolean {
  return line.charAt(at) === '：' || (line.charAt(at) === ':' && /\s/.test(line.charAt(at + 1)));
}
