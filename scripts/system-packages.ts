/**
 * The Debian packages that the tests need. As root the missing ones are installed; otherwise the
 * command to run is printed and the tests fail, because a test that is quietly left out proves nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Package and what it is for. */
export const SYSTEM_PACKAGES: Readonly<Record<string, string>> = {
  apache2: 'a proxy with Basic, Digest and NTLM',
  chromium: 'the browser of the end-to-end tests',
  'dante-server': 'a SOCKS proxy',
  'fonts-dejavu-core': 'something for that browser to draw text with',
  'gnutls-bin': 'a TLS server that is not ours',
  'gss-ntlmssp': 'an NTLM acceptor that is not ours',
  haproxy: 'a balancer in front of proxies and of the relay',
  'libapache2-mod-auth-gssapi': 'lets Apache take NTLM',
  'libnginx-mod-stream': 'lets nginx pass TCP on',
  microsocks: 'a SOCKS proxy with a password, which needs no account of the system',
  nginx: 'a reverse proxy, and one that refuses CONNECT',
  openssl: 'certificates, and another TLS server that is not ours',
  privoxy: 'a proxy of a third make',
  python3: 'runs the test server',
  'python3-gssapi': 'lets it use GSS-API',
  'python3-winrm': 'a WinRM client that is not ours',
  'squid-openssl': 'a real proxy',
  tinyproxy: 'a proxy of another make',
};

/** While this exists and says 101, a package's daemon does not start when it is installed. */
const POLICY = '/usr/sbin/policy-rc.d';

/** Which of the packages are not installed; null where there is no dpkg. */
export function missingPackages(names: readonly string[] = Object.keys(SYSTEM_PACKAGES)): string[] | null {
  const query = spawnSync('dpkg-query', ['-W', '-f', `\${db:Status-Status} \${Package}\n`, ...names], {
    encoding: 'utf8',
  });
  if (query.error !== undefined) return null;
  const installed = new Set(query.stdout.split('\n').filter((line) => line.startsWith('installed ')));
  return names.filter((name) => !installed.has(`installed ${name}`));
}

/** Makes sure the packages are there. @returns a sentence that says what is wrong, or null when all is well */
export function ensureSystemPackages(): string | null {
  const missing = missingPackages();
  const names = (missing ?? Object.keys(SYSTEM_PACKAGES)).join(' ');
  if (missing === null) return `These tests need a Debian system with these packages: ${names}`;
  if (missing.length === 0) return null;
  if (process.getuid?.() !== 0) {
    return `These tests need packages that are not installed. Run:  sudo apt-get install -y --no-install-recommends ${names}`;
  }
  console.log(`Installing ${names}`);
  return install(missing);
}

function install(names: readonly string[]): string | null {
  const isPolicyOurs = !existsSync(POLICY);
  if (isPolicyOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    for (const words of [
      ['update', '-q'],
      ['install', '-y', '-q', '--no-install-recommends', ...names],
    ]) {
      const apt = spawnSync('apt-get', words, { env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
      if (apt.status !== 0) return `apt-get ${words.join(' ')} failed:\n${apt.stdout ?? ''}${apt.stderr ?? ''}`;
    }
  } finally {
    if (isPolicyOurs) rmSync(POLICY, { force: true });
  }
  const stillMissing = missingPackages(names) ?? names;
  return stillMissing.length === 0 ? null : `apt-get did not install ${stillMissing.join(' ')}`;
}

if (import.meta.main) {
  const problem = ensureSystemPackages();
  console.log(problem ?? 'Every system package the tests need is installed.');
  process.exitCode = problem === null ? 0 : 1;
}
