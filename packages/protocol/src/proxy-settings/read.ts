import { fail } from '../errors.ts';
import { Findings, readPacUrl } from './_proxy-url.ts';
import { readAdvancedProxy, readRegistry, readWinHttp, readWininetLine } from './_windows.ts';
import { BypassList } from './bypass.ts';
import { readEnvironmentText } from './environment.ts';
import { readPastedAnswer } from './pac-answer.ts';
import type { ProxySettings } from './settings.ts';

/** Far more than any program prints about its proxies. */
export const MAX_SETTINGS_CHARACTERS = 256 * 1024;
/** Longer than any list of exceptions that systems take. */
const MAX_LINE_CHARACTERS = 16 * 1024;

/**
 * Reads proxy settings as somebody pastes them, and finds out by itself what they are: `netsh winhttp show proxy` and
 * `show advproxy`, `proxycfg`, the registry, environment variables, a PAC file's address or its answer, a proxy's URL,
 * WinINET's "http=a:1;https=b:2". Credentials in them are dropped, and said to be.
 *
 * @throws settings.unreadable; pac.gave-no-answer for a pasted answer without a proxy that can be used
 */
export function readProxySettings(text: string): ProxySettings {
  if (text.length > MAX_SETTINGS_CHARACTERS) fail('settings.unreadable', { reason: 'too-long', setting: 'none' });
  const plain = text.replace(/^\ufeff/, '').replace(/\0/g, '');
  if (plain.split(/[\r\n]/).some((line) => line.length > MAX_LINE_CHARACTERS)) {
    fail('settings.unreadable', { reason: 'too-long', setting: 'none' });
  }
  if (plain.trim() === '') fail('settings.unreadable', { reason: 'empty', setting: 'none' });
  return (
    readAdvancedProxy(plain) ??
    readEnvironmentText(plain) ??
    // Before the registry: "ProxyServer : a:1" is also German for what netsh prints.
    readWinHttp(plain) ??
    readRegistry(plain) ??
    readPastedAnswer(plain) ??
    readLine(plain) ??
    fail('settings.unreadable', { reason: 'unknown-form', setting: 'none' })
  );
}

function readLine(text: string): ProxySettings | null {
  const line = text.trim().replace(/^(["'<])(.*)["'>]$/, '$2');
  if (/[\r\n]/.test(line)) return null;
  if (/^[A-Za-z]+=\S/.test(line)) return readWininetLine(line);
  if (/\s/.test(line)) return null;
  const pac = readPacUrl(line);
  // Nobody gives a proxy a path, and a PAC file hardly ever has none.
  if (pac !== null && /^(?:file:|https?:\/\/[^/?]+(?:\/[^?]|\/?\?))/.test(pac.url)) return pacSettings(pac);
  if (line.includes(';')) return readWininetLine(line);
  // Any word could be a host; what makes it a proxy's address is a scheme or a port.
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(line) && !/:[0-9]+\/?$/.test(line)) return null;
  const found = new Findings();
  found.addProxy(line, 'all', 'none');
  return {
    source: 'url',
    ...{ direct: false, proxies: found.proxies, bypass: BypassList.NONE, pacUrl: null, warnings: found.warnings },
  };
}

function pacSettings({ url, hadCredentials }: { url: string; hadCredentials: boolean }): ProxySettings {
  const found = new Findings();
  if (hadCredentials) found.warn('credentials-dropped', 'none');
  return {
    source: 'pac-url',
    ...{ direct: false, proxies: [], bypass: BypassList.NONE, pacUrl: url, warnings: found.warnings },
  };
}
