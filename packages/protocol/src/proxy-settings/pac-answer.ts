import { fail } from '../errors.ts';
import { printAuthority } from '../road/authority.ts';
import type { ProxyRoute } from '../road/route.ts';
import { Findings, MAX_PROXIES, readProxy } from './_proxy-url.ts';
import { BypassList } from './bypass.ts';
import { DIRECT, type ProxySettings, routeThrough, type SettingsWarning } from './settings.ts';

/** What a PAC script's answer means: roads in the order of trial, and what was left out. */
export interface PacAnswer {
  readonly routes: readonly ProxyRoute[];
  readonly warnings: readonly SettingsWarning[];
}

const KINDS = { PROXY: 'http', HTTP: 'http', HTTPS: 'https', SOCKS: 'socks', SOCKS5: 'socks5' } as const;

/**
 * Reads "PROXY a:8080; SOCKS5 b; DIRECT". As in Chromium (net/base/proxy_string_util.cc) the words have any case, the
 * port may be missing (80, 443 for HTTPS, 1080 for SOCKS), and what cannot be read is left out. Unlike there, an answer
 * of which nothing is left does not mean DIRECT: nobody said so. An empty answer does, as the PAC format has it.
 *
 * @throws pac.gave-no-answer when nothing in it can be used
 */
export function readPacAnswer(raw: string): PacAnswer {
  const found = new Findings();
  const routes: ProxyRoute[] = [];
  const add = (route: ProxyRoute): void => {
    if (routes.length < MAX_PROXIES && !routes.some(({ name }) => name === route.name)) routes.push(route);
  };
  const parts = raw.split(';').map((part) => part.trim());
  if (parts.every((part) => part === '')) return { routes: [DIRECT], warnings: [] };
  for (const part of parts.slice(0, 4 * MAX_PROXIES).filter((written) => written !== '')) {
    const shape = /^([A-Za-z0-9]{1,12})(?:\s+(\S+))?$/.exec(part);
    const word = (shape?.[1] ?? '').toUpperCase();
    if (word === 'DIRECT' && shape?.[2] === undefined) add(DIRECT);
    else if (word === 'SOCKS4') found.warn('socks4', 'SOCKS4', placeOf(shape?.[2]));
    else if (shape?.[2] !== undefined && Object.hasOwn(KINDS, word)) {
      const whenBare = KINDS[word as keyof typeof KINDS];
      const read = readProxy(shape[2], whenBare);
      if (read.hop === null || shape[2].includes('://')) found.warn('not-a-proxy', word);
      else {
        found.addHop({ ...read, hop: read.hop }, 'all', word);
        add(routeThrough(read.hop));
      }
    } else found.warn('not-a-proxy', Object.hasOwn(KINDS, word) ? word : 'none');
  }
  if (routes.length === 0) fail('pac.gave-no-answer', { problem: 'it names no proxy that can be used' });
  return { routes, warnings: found.warnings };
}

function placeOf(text: string | undefined): string {
  const read = readProxy(text ?? '', 'socks5');
  return read.hop === null ? 'none' : printAuthority(read.hop);
}

/** A pasted answer as settings; null when the text does not begin with one of its words. @throws pac.gave-no-answer */
export function readPastedAnswer(text: string): ProxySettings | null {
  const plain = text.replace(/^["'\s]+/, '');
  const isDirect = /^DIRECT/i.test(plain) && /^(?:;|$)/.test(plain.slice('DIRECT'.length).replace(/^["'\s]+/, ''));
  const isAnswer = isDirect || /^(?:PROXY|HTTPS?|SOCKS[45]?)\s+\S/i.test(plain);
  if (!isAnswer || /[\r\n]\s*\S/.test(text.trim())) return null;
  const answer = readPacAnswer(text.trim().replace(/^(["'])(.*)\1$/, '$2'));
  // What stands behind DIRECT would be tried only when the direct road fails, which is no failure of a proxy.
  const end = answer.routes.findIndex(({ hops }) => hops.length === 0);
  const routes = end < 0 ? answer.routes : answer.routes.slice(0, end + 1);
  return {
    source: 'pac-answer',
    direct: routes.some(({ hops }) => hops.length === 0),
    proxies: routes.flatMap(({ hops }) => hops.map((hop) => ({ for: 'all' as const, hop }))),
    bypass: BypassList.NONE,
    pacUrl: null,
    warnings: answer.warnings,
  };
}
