import { X509Certificate } from 'node:crypto';
import { constants, fchmodSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import {
  connectFirst,
  type Journal,
  type ProxyAnswerer,
  type ProxyCredential,
  type ProxyRoute,
  parseCredential,
  proxySignIn,
  type RoadOpener,
  Session,
  type ShellOptions,
} from '@fairlead/protocol';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { nodeSecureHop } from '@fairlead/protocol/proxy-tls';
import { walkRoad } from '@fairlead/protocol/road';
import { tellAdvice } from './advice.ts';
import { type Common, type ShellSettings, type SignIn, UsageError } from './arguments.ts';
import { firstRoad } from './found-roads.ts';
import { fileTrouble, readNamedFile } from './read-file.ts';
import { type Terminal, tell } from './terminal.ts';
import { openCertificate, trustFrom } from './trust.ts';

/** Opens roads from this process, without a relay. Asks for the passwords of its proxies first. */
export async function roadFromHere(common: Common, terminal: Terminal): Promise<RoadOpener> {
  const { route, otherRoutes } = common;
  if (otherRoutes.length === 0) return roadThrough(common, terminal);
  const roads: { name: string; open: RoadOpener }[] = [];
  for (const one of [route, ...otherRoutes]) {
    // A road without a proxy has nobody to sign in to; the password is asked for when that proxy's turn comes.
    let opened: Promise<RoadOpener> | null = null;
    const open: RoadOpener = async (...words) => {
      opened ??= roadThrough({ ...common, route: one }, terminal);
      return (await opened)(...words);
    };
    roads.push({ name: one.name, open });
  }
  return firstRoad(roads, (text) => tell(terminal, text));
}

async function roadThrough(common: Common, terminal: Terminal): Promise<RoadOpener> {
  const { route, target, proxySignIn: settings } = common;
  const answers = proxySignIn({
    ...{ route, scheme: target.scheme, platform: defaultPlatform },
    credentials: await proxyCredentials(common, terminal),
    dangerHttpBehindAuthenticatedProxy: settings.isHttpDangerChosen,
  });
  let answerCount = 0;
  const answerProxy = (): ProxyAnswerer => {
    const answer = answers();
    return (...words) => {
      answerCount += 1;
      return answer(...words);
    };
  };
  const secureHop = nodeSecureHop(settings.caFiles.map(readRoots));
  const openFor = (way: ProxyRoute): RoadOpener => {
    const open: RoadOpener = (_lane, onHop, signal) =>
      walkRoad({
        ...{ route: way, target, onHop, signal, secureHop },
        dial: nodeDialer,
        platform: defaultPlatform,
        answerProxy: answerProxy(),
        // Whether an http target may have it is for the answers to say: they know what was chosen.
        httpBehindSignIn: 'allow',
      });
    return Object.assign(open, { answered: () => answerCount });
  };
  if (common.proxyForm !== 'auto') return openFor(route);
  const hasProxyCredential = (settings.users[route.hops.length - 1] ?? '') !== '';
  return connectFirst({ route, scheme: target.scheme, hasProxyCredential, openFor });
}

async function proxyCredentials(common: Common, terminal: Terminal): Promise<(ProxyCredential | null)[]> {
  const { users, mechanisms } = common.proxySignIn;
  const credentials: (ProxyCredential | null)[] = [];
  // A direct road that was found has no proxy, whatever user was named.
  for (const [index, user] of users.slice(0, common.route.hops.length).entries()) {
    if (user === '') credentials.push(null);
    else {
      const { host = '', port = 0 } = common.route.hops[index] ?? {};
      // The first has the plain name; each further one of a chain its number.
      const variable = `FAIRLEAD_PROXY_PASSWORD${index === 0 ? '' : `_${index + 1}`}`;
      const password = await secretFor(variable, `Password for ${user} at the proxy ${host}:${port}: `, terminal);
      credentials.push({ credential: parseCredential(user, password), mechanisms });
    }
  }
  return credentials;
}

/** Node passes over what it cannot read in such a file without a word, so each certificate is looked at first. */
function readRoots(file: string): string {
  const text = readNamedFile(file, '--proxy-ca').toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (cause) {
    throw new UsageError(`--proxy-ca: a certificate in ${file} cannot be read.`, { cause });
  }
  if (blocks.length > 0) return blocks.join('\n');
  throw new UsageError(`--proxy-ca: ${file} has no certificate in it; PEM is expected (-----BEGIN CERTIFICATE-----).`);
}

/** What signing in to the host takes, and the road to it. Asks for passwords that are not in the environment. */
export async function signInFrom(request: Common & SignIn, terminal: Terminal) {
  const { target, policy, user, certFiles, seal, allowLegacyTls } = request;
  const trust = trustFrom(request);
  const isByCertificate = policy === 'certificate';
  return {
    ...{ target, policy, trust, seal, allowLegacyTls },
    credential: isByCertificate
      ? null
      : parseCredential(user, await secretFor('FAIRLEAD_PASSWORD', `Password for ${user}: `, terminal)),
    clientCertificate: isByCertificate ? await openCertificate(certFiles, terminal) : null,
    openRoad: await roadFromHere(request, terminal),
    platform: defaultPlatform,
  };
}

/** Makes the session a command line asks for; nothing is sent yet. The password goes straight into it. */
export async function makeSession(
  request: Common & SignIn & ShellSettings,
  shell: Pick<ShellOptions, 'kind' | 'command' | 'consoleStdin'>,
  terminal: Terminal,
): Promise<Session> {
  const session = new Session({
    ...(await signInFrom(request, terminal)),
    // Whoever calls a program wants its exit code now; a script has its own idea of when to try again.
    patienceMs: 0,
    shell: {
      ...shell,
      codePage: request.codePage,
      noProfile: request.noProfile,
      environment: { ...request.environment },
      ...(request.workingDirectory === null ? {} : { workingDirectory: request.workingDirectory }),
    },
  });
  if (request.journalFile !== null) writeJournal(session.journal, request.journalFile);
  tellAdvice(session.journal, terminal);
  return session;
}

/**
 * Writes each entry as it comes, one JSON object per line, readable by the owner only; a file that is there already is
 * emptied and closed to others, and a symbolic link is not followed.
 */
export function writeJournal(journal: Journal, file: string): void {
  let opened: number;
  try {
    opened = openSync(file, constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
    fchmodSync(opened, 0o600); // the mode above counts for a new file only
    ftruncateSync(opened);
  } catch (error) {
    throw new UsageError(`The journal cannot be written: ${fileTrouble(error, file)}`, { cause: error });
  }
  for (const entry of journal.entries) writeFileSync(opened, `${JSON.stringify(entry)}\n`);
  journal.watch((entry) => writeFileSync(opened, `${JSON.stringify(entry)}\n`));
}

async function secretFor(variable: string, question: string, terminal: Terminal): Promise<string> {
  const fromEnvironment = terminal.environment[variable];
  if (fromEnvironment !== undefined) return fromEnvironment;
  const answer = await terminal.askSecret(question);
  if (answer === null) throw new UsageError(`No password: set ${variable}, or run this in a terminal.`);
  return answer;
}
