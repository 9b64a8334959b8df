import { constants, fchmodSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { type Journal, parseCredential, type RoadOpener, Session, type ShellOptions } from '@fairlead/protocol';
import { defaultPlatform, nodeDialer } from '@fairlead/protocol/node';
import { walkRoad } from '@fairlead/protocol/road';
import { type Common, type ShellSettings, type SignIn, UsageError } from './arguments.ts';
import type { Terminal } from './terminal.ts';
import { openCertificate, trustFrom } from './trust.ts';

/** Opens roads from this process, without a relay. */
export function roadFromHere(common: Common): RoadOpener {
  return (_lane, onHop, signal) =>
    walkRoad({
      route: common.route,
      target: common.target,
      dial: nodeDialer,
      platform: defaultPlatform,
      onHop,
      signal,
    });
}

/** Makes the session a command line asks for; nothing is sent yet. The password goes straight into it. */
export async function makeSession(
  request: Common & SignIn & ShellSettings,
  shell: Pick<ShellOptions, 'kind' | 'command' | 'consoleStdin'>,
  terminal: Terminal,
): Promise<Session> {
  const { target, policy, user, certFiles, seal, allowLegacyTls } = request;
  const trust = trustFrom(request);
  const isByCertificate = policy === 'certificate';
  const session = new Session({
    ...{ target, policy, trust, seal, allowLegacyTls },
    credential: isByCertificate ? null : parseCredential(user, await passwordFor(user, terminal)),
    clientCertificate: isByCertificate ? await openCertificate(certFiles, terminal) : null,
    openRoad: roadFromHere(request),
    platform: defaultPlatform,
    shell: {
      ...shell,
      codePage: request.codePage,
      noProfile: request.noProfile,
      environment: { ...request.environment },
      ...(request.workingDirectory === null ? {} : { workingDirectory: request.workingDirectory }),
    },
  });
  if (request.journalFile !== null) writeJournal(session.journal, request.journalFile);
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
    throw new UsageError(`The journal cannot be written: ${error instanceof Error ? error.message : file}`);
  }
  for (const entry of journal.entries) writeFileSync(opened, `${JSON.stringify(entry)}\n`);
  journal.watch((entry) => writeFileSync(opened, `${JSON.stringify(entry)}\n`));
}

async function passwordFor(user: string, terminal: Terminal): Promise<string> {
  const fromEnvironment = terminal.environment['FAIRLEAD_PASSWORD'];
  if (fromEnvironment !== undefined) return fromEnvironment;
  const answer = await terminal.askSecret(`Password for ${user}: `);
  if (answer === null) throw new UsageError('No password: set FAIRLEAD_PASSWORD, or run this in a terminal.');
  return answer;
}
