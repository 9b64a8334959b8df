import { statSync } from 'node:fs';
import type { Account } from './accounts.ts';
import { startConnectProxy } from './connect-proxy.ts';
import { httpsOptions, readSettings, type Settings, SettingsError, takePassword, USAGE } from './settings.ts';
import { startWinRmHost, type WinRmHostOptions } from './winrm-host.ts';

/** `npm run -s testbed`: the host alone, until a signal. Exits with 64 for wrong arguments, 1 when it cannot listen. */
async function main(): Promise<number> {
  const settings = readSettings(process.argv.slice(2));
  if (settings === null) {
    console.log(USAGE);
    return 0;
  }
  if (
    settings.directory !== undefined &&
    statSync(settings.directory, { throwIfNoEntry: false })?.isDirectory() !== true
  )
    throw new SettingsError(`--directory ${settings.directory} is not a directory`);
  const stopAsked = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  const { password, isMadeUp } = takePassword(process.env);
  const [domain = '', user = ''] = settings.user.split('\\');
  const account = { user, domain, password, certificates: settings['client-sha256'] };
  const host = await startWinRmHost(hostOptions(settings, account));
  const proxy =
    settings['proxy-port'] === undefined
      ? null
      : await startConnectProxy({
          port: settings['proxy-port'],
          allow: [host.port, host.https?.port ?? host.port].flatMap((port) => [
            { host: '127.0.0.1', port },
            { host: 'localhost', port },
          ]),
        });
  if (isMadeUp) console.log(`password of ${settings.user}: ${password}`);
  if (host.https !== null) {
    console.log(`certificate SHA-256 ${host.https.thumbprints.sha256}`);
    console.log(`certificate SHA-1 ${host.https.thumbprints.sha1}`);
  }
  const secure = host.https === null ? '' : ` https=${host.https.port}`;
  console.log(`READY http=${host.port}${secure}${proxy === null ? '' : ` proxy=${proxy.port}`}`);
  await stopAsked;
  await Promise.all([proxy?.close(), host.close()]);
  return 0;
}

function hostOptions(settings: Settings, account: Account): WinRmHostOptions {
  const https = httpsOptions(settings);
  return {
    host: settings.host,
    port: settings.port,
    accounts: [account],
    computerName: account.domain,
    offers: settings.scheme,
    idleTimeoutMs: settings['idle-timeout'] * 1000,
    closeAfterRequests: settings['close-after'],
    limits: {
      maxShellsPerUser: settings['max-shells'],
      maxEnvelopeBytes: settings['max-envelope'] * 1024,
      shellIdleTimeoutMs: settings['shell-timeout'] * 1000,
    },
    ...(https === undefined ? {} : { https }),
    ...(settings.directory === undefined ? {} : { workingDirectory: settings.directory }),
    ...(settings.journal === undefined ? {} : { journalFile: settings.journal }),
  };
}

/** One sentence for what usually goes wrong; null for what is a mistake of ours. */
function explain(error: unknown): string | null {
  if (error instanceof SettingsError) return `${error.message}. See --help.`;
  const { code, port, address, path } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (code === 'EADDRINUSE') return `Port ${port} is taken.`;
  if (code === 'EACCES') return `No permission to use ${path ?? `port ${port}`}.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `This machine has no address ${address ?? 'of that name'}.`;
  return null;
}

try {
  process.exitCode = await main();
} catch (error) {
  const sentence = explain(error);
  console.error(sentence ?? error);
  process.exitCode = error instanceof SettingsError ? 64 : 1;
}
