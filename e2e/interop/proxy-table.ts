import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PEERS = fileURLToPath(new URL('../../docs/peers.md', import.meta.url));

/** Which Debian package a configuration runs; the longest beginning counts. */
const PACKAGES: Readonly<Record<string, string>> = {
  apache: 'apache2',
  haproxy: 'haproxy',
  microsocks: 'microsocks',
  nginx: 'nginx',
  privoxy: 'privoxy',
  sockd: 'dante-server',
  squid: 'squid-openssl',
  tinyproxy: 'tinyproxy',
};

/** One row: what stood on the road, how one signed in to it, what was spoken over it, and what came of it. */
export interface ProxyRow {
  readonly proxy: string;
  readonly authentication: string;
  readonly transport: string;
  readonly verdict: string;
}

/**
 * Collects what a test file found and prints it at the end. With FAIRLEAD_PROXY_TABLE=write in the environment the part
 * of docs/peers.md between the marks of that name is written anew.
 */
export class ProxyTable {
  readonly #name: string;
  readonly #rows: ProxyRow[] = [];

  /** @param name of the marks: `<!-- proxies: NAME -->` and `<!-- end of NAME -->` */
  constructor(name: string) {
    this.#name = name;
  }

  add(row: ProxyRow): void {
    this.#rows.push(row);
  }

  /** Prints the table, each proxy with the version that is installed. */
  print(): void {
    const heads = ['Proxy', 'Authentication', 'Transport', 'Verdict'];
    const cells = this.#rows.map(({ proxy, authentication, transport, verdict }) => [
      withVersions(proxy),
      authentication,
      transport,
      /^[a-z]+\.[a-z-]+$/.test(verdict) ? `\`${verdict}\`` : verdict,
    ]);
    const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((row) => (row[at] ?? '').length)));
    const line = (row: readonly string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
    const table = [line(heads), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
    process.stdout.write(`${table}\n`);
    if (process.env['FAIRLEAD_PROXY_TABLE'] === 'write') this.#write(table);
  }

  #write(table: string): void {
    const [begin, end] = [`<!-- proxies: ${this.#name} -->`, `<!-- end of ${this.#name} -->`];
    const text = readFileSync(PEERS, 'utf8');
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/peers.md has no marks for ${this.#name}`);
    writeFileSync(PEERS, `${text.slice(0, from)}${begin}\n\n${table}\n\n${text.slice(to)}`);
  }
}

const versions = new Map<string, string>();

/** "squid → tinyproxy" with a version after each name. */
function withVersions(proxies: string): string {
  return proxies.replaceAll(/(?:apache|haproxy|microsocks|nginx|privoxy|sockd|squid|tinyproxy)[a-z-]*/g, (conf) => {
    const known = Object.entries(PACKAGES).find(([start]) => conf.startsWith(start))?.[1] ?? '';
    if (!versions.has(known)) versions.set(known, versionOf(known));
    return `${conf} ${versions.get(known)}`;
  });
}

/** Debian's version without its own additions: "1:2.4.71-1~deb12u1" is 2.4.71. */
function versionOf(name: string): string {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', `\${Version}`, name], { encoding: 'utf8' });
  return stdout.replace(/^\d+:/, '').replace(/[-+].*$/, '');
}
