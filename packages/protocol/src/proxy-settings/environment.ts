import { fail } from '../errors.ts';
import { Findings } from './_proxy-url.ts';
import { BypassList } from './bypass.ts';
import type { ProxySettings } from './settings.ts';

/** `export A=b`, `set A=b`, `setx A "b"`, `$env:A = 'b'`, `ENV A=b`, `A=b`, `A: b`, several of them in a line. */
const ASSIGNMENT = /(?:^|[\s;&"'{])(?:\$env:|-e\s+)?"?((?:https?|all|no)_proxy)"?(?:\s*[=:]\s*|\s+(?=["']))/gi;
const VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'] as const;
type Variable = (typeof VARIABLES)[number];

/**
 * Reads assignments of HTTPS_PROXY and its like, one or more in a line; null when there is none. Small letters win over
 * capitals, as with curl. An empty value is none.
 *
 * @throws settings.unreadable
 */
export function readEnvironmentText(text: string): ProxySettings | null {
  const written: Record<string, string> = {};
  let count = 0;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:#|\/\/|rem\s)/i.test(line)) continue;
    const found = [...line.matchAll(ASSIGNMENT)];
    for (const [at, match] of found.entries()) {
      count += 1;
      const value = line.slice(match.index + match[0].length, found[at + 1]?.index ?? line.length);
      written[match[1] as string] = bareValue(value, (match[1] as string).toLowerCase() === 'no_proxy');
    }
  }
  return count === 0 ? null : readEnvironment(written);
}

/**
 * Reads a set of environment variables, as a process has them. Nobody calls this with the process's own unless the
 * person asked for that.
 *
 * @throws settings.unreadable
 */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): ProxySettings {
  const found = new Findings();
  const proxyOf = (name: Variable, purpose: 'http' | 'https' | 'all'): void => {
    const { value, setting } = variableOf(variables, name, found);
    if (value === null) return;
    if (setting === 'HTTP_PROXY') found.warn('cgi', setting);
    found.addProxy(value, purpose, setting);
  };
  proxyOf('https_proxy', 'https');
  proxyOf('http_proxy', 'http');
  proxyOf('all_proxy', 'all');
  const exceptions = variableOf(variables, 'no_proxy', found);
  const bypass = BypassList.parse(exceptions.value ?? '', 'environment');
  if (bypass.unreadCount > 0) found.warn('bypass-unread', exceptions.setting, String(bypass.unreadCount));
  if (found.proxies.length === 0 && exceptions.value === null)
    fail('settings.unreadable', { reason: 'empty', setting: 'none' });
  const direct = found.proxies.length === 0;
  return { source: 'environment', direct, proxies: found.proxies, bypass, pacUrl: null, warnings: found.warnings };
}

function variableOf(
  variables: Readonly<Record<string, string | undefined>>,
  name: Variable,
  found: Findings,
): { value: string | null; setting: string } {
  const capitals = name.toUpperCase();
  const small = (variables[name] ?? '').trim();
  const large = (variables[capitals] ?? '').trim();
  if (small !== '' && large !== '' && small !== large) found.warn('two-cases', name);
  if (small !== '') return { value: small, setting: name };
  return { value: large === '' ? null : large, setting: capitals };
}

function bareValue(text: string, isList: boolean): string {
  const trimmed = text.trim();
  const quoted = /^(["'])(.*?)\1/.exec(trimmed);
  if (quoted !== null) return (quoted[2] as string).trim();
  // What is left of `cmd /c "set A=b"`, of `export A=b;` and of JSON.
  let end = trimmed.length;
  while (end > 0 && /[\s;&"',}]/.test(trimmed.charAt(end - 1))) end -= 1;
  const bare = trimmed.slice(0, end);
  // Further words belong to the command, unless a password has a blank in it: then it must not look like a host.
  const blank = bare.search(/\s/);
  return isList || blank < 0 || bare.slice(blank).includes('@') ? bare : bare.slice(0, blank);
}
