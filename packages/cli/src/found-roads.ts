import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProxyRoute, RoadOpener } from '@fairlead/protocol';
import { isWinRmError } from '@fairlead/protocol';
import {
  chooseRoutes,
  MAX_PAC_CHARACTERS,
  MAX_SETTINGS_CHARACTERS,
  type ProxySettings,
  type RouteReason,
  readEnvironment,
  readProxySettings,
  type SettingsWarning,
} from '@fairlead/protocol/proxy-settings';
import english from '../../../web/messages/en.json' with { type: 'json' };
import { type Common, type RoadSource, UsageError } from './arguments.ts';
import { askPac } from './ask-pac.ts';
import { fetchPac } from './fetch-pac.ts';
import { formatMessage } from './message-format.ts';
import { readNamedFile } from './read-file.ts';
import { type Terminal, tell } from './terminal.ts';

/**
 * Puts the roads that a PAC file or pasted settings name in the place of `--proxy`, and says on standard error what they
 * are and why. Nothing is read that the command line does not name: not the environment, unless it says `env`.
 *
 * @throws settings.unreadable, pac.unreadable and its like, UsageError
 */
export async function settleRoads<Request extends Common>(request: Request, terminal: Terminal): Promise<Request> {
  const { roadSource } = request;
  if (roadSource === null) return request;
  const say = (text: string): Promise<void> => tell(terminal, text);
  const routes =
    roadSource.kind === 'pac'
      ? await fromPac(roadSource.place, request, say)
      : await fromSettings(roadSource, request, terminal, say);
  const [route = { name: 'DIRECT', hops: [] }, ...others] = routes.map((one) => inForm(one, request));
  return { ...request, route, otherRoutes: others };
}

type Say = (text: string) => Promise<void>;

async function fromPac(place: string, { target }: Common, say: Say): Promise<readonly ProxyRoute[]> {
  const isUrl = /^https?:\/\//i.test(place);
  const script = isUrl ? await fetchPac(place) : readText(fileOf(place), '--pac', MAX_PAC_CHARACTERS);
  const verdict = await askPac(script, target);
  const name = isUrl ? basename(new URL(place).pathname) || 'the PAC file' : basename(place);
  for (const alert of verdict.alerts) await say(`${name} remarks: ${alert}`);
  await tellWarnings(verdict.warnings, say);
  await say(`${name} says ${namesOf(verdict.routes)}`);
  if (verdict.asked.length > 0) {
    await say(
      `${name} asked for addresses that are not looked up for it (${verdict.asked.slice(0, 5).join(', ')}); knowing them it might say something else`,
    );
  }
  return verdict.routes;
}

async function fromSettings(
  source: RoadSource,
  common: Common,
  terminal: Terminal,
  say: Say,
): Promise<readonly ProxyRoute[]> {
  const settings = await readSettings(source.place, terminal);
  await tellWarnings(settings.warnings, say);
  const chosen = chooseRoutes(settings, common.target);
  if (chosen.pacUrl !== null && !EXCEPTIONS.includes(chosen.why)) {
    await say(`the settings name a PAC file, which comes first: ${withoutQuery(chosen.pacUrl)}`);
    return fromPac(chosen.pacUrl, common, say);
  }
  await say(`the settings (${SOURCES[settings.source]}) say ${namesOf(chosen.routes)}: ${REASONS[chosen.why]}`);
  return chosen.routes;
}

async function readSettings(place: string, terminal: Terminal): Promise<ProxySettings> {
  if (place === 'env') return readEnvironment(terminal.environment);
  if (place !== '-') return readProxySettings(readText(place, '--proxy-settings', MAX_SETTINGS_CHARACTERS));
  let text = '';
  for await (const part of terminal.stdin) {
    text += String(part);
    if (text.length > MAX_SETTINGS_CHARACTERS) break;
  }
  return readProxySettings(text);
}

/** A PAC file may be named as settings name it: file:///etc/proxy.pac. RFC 8089 */
function fileOf(place: string): string {
  if (!/^file:/i.test(place)) return place;
  try {
    return fileURLToPath(place);
  } catch (cause) {
    throw new UsageError(`--pac: ${place} names no file on this machine; write file:///path, or the path alone.`, {
      cause,
    });
  }
}

/** A file as text: UTF-8, or UTF-16 as regedit and PowerShell write it. */
function readText(file: string, option: string, limit: number): string {
  const bytes = readNamedFile(file, option);
  // Beyond this the reader says that it is too long; the rest need not be decoded for that.
  const head = bytes.subarray(0, 4 * limit);
  return head[0] === 0xff && head[1] === 0xfe ? head.toString('utf16le').slice(1) : head.toString('utf8');
}

async function tellWarnings(warnings: readonly SettingsWarning[], say: Say): Promise<void> {
  for (const { code, setting, about } of warnings) {
    await say(formatMessage(english.settingsWarnings[code], { setting, about }));
  }
}

function namesOf(routes: readonly ProxyRoute[]): string {
  return routes.map(({ name }) => name).join('; ');
}

/** A query may be somebody's token. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/, '');
}

function inForm(route: ProxyRoute, { proxyForm }: Common): ProxyRoute {
  const last = route.hops.at(-1);
  if (proxyForm !== 'forward' || last?.kind !== 'http-connect') return route;
  return { ...route, hops: [...route.hops.slice(0, -1), { ...last, kind: 'http-forward' }] };
}

/**
 * Opens the first of several roads whose proxy can be talked to, and stays with it. The next is tried only when the
 * proxy itself fails: one that answers "no" has answered, and a way round it is not ours to look for.
 */
export function firstRoad(roads: readonly { name: string; open: RoadOpener }[], say: Say): RoadOpener {
  let chosen = 0;
  return async (lane, onHop, signal) => {
    for (;;) {
      const at = chosen;
      const road = roads[at] as (typeof roads)[number];
      try {
        return await road.open(lane, onHop, signal);
      } catch (error) {
        const next = roads[at + 1];
        if (next === undefined || !isProxyDown(error)) throw error;
        // Two lanes may come here at once; one of them says it.
        if (chosen === at) {
          chosen = at + 1;
          await say(`${road.name} cannot be used (${error.code}); trying ${next.name}`);
        }
      }
    }
  };
}

/** Whether the nearest proxy could not be talked to at all. */
function isProxyDown(error: unknown): error is { code: string } {
  for (const code of ['relay.connection-refused', 'relay.connect-timeout', 'relay.name-not-found'] as const) {
    if (isWinRmError(error, code)) return error.details.hop === 1;
  }
  return isWinRmError(error, 'proxy.not-a-proxy') || isWinRmError(error, 'proxy.tls-failed');
}

const SOURCES: Readonly<Record<ProxySettings['source'], string>> = {
  netsh: 'netsh winhttp',
  'netsh-json': 'netsh winhttp',
  registry: 'Internet Settings',
  wininet: 'Internet Settings',
  environment: 'environment variables',
  'pac-url': 'PAC file',
  url: 'a proxy',
  'pac-answer': 'a PAC answer',
};

/** They come before a PAC file, too. */
const EXCEPTIONS: readonly RouteReason[] = ['bypassed', 'loopback', 'link-local'];

const REASONS: Readonly<Record<RouteReason, string>> = {
  bypassed: 'the host is one of the exceptions',
  loopback: 'by such settings this machine itself is never reached through a proxy',
  'link-local': 'by such settings a link-local address is never reached through a proxy',
  'for-scheme': 'that is the proxy for this kind of address',
  'for-all': 'that is the proxy for everything',
  'for-socks': 'that is the SOCKS proxy, and there is no other',
  listed: 'in this order',
  'no-proxy': 'there is no proxy for this kind of address',
};
