import { afterAll, describe, expect, test } from 'vitest';
import { defaultPlatform } from '../src/adapters/default-platform.ts';
import { nodeDialer } from '../src/adapters/node-socket.ts';
import { concatBytes, utf8Decode, utf8Encode } from '../src/bytes/bytes.ts';
import { isWinRmError } from '../src/errors.ts';
import { identityOf, PEER_HOST, trustAnyone } from '../src/testing/tls-rehearsal.ts';
import type { ClientCertificate } from '../src/tls/client-certificate.ts';
import { secure } from '../src/tls/stream.ts';
import peers from '../src/tls/vectors/peers.json' with { type: 'json' };
import {
  type Identity,
  type ServerMaker,
  type ServerSetting,
  startGnutls,
  startNode,
  startOpenssl,
} from './tls-servers.ts';

/**
 * Every version, suite and kind of key, and every wish for a client certificate, against TLS servers of others. Prints a
 * table of what was spoken and how long a handshake took.
 */

const MAKERS: readonly (readonly [string, ServerMaker])[] = [
  ['OpenSSL s_server', startOpenssl],
  ['GnuTLS gnutls-serv', startGnutls],
  ['Node tls', startNode],
];
const SUITES_13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const BULKS_12 = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'];
const CBC_12 = ['AES128-SHA256', 'AES256-SHA384', 'AES128-SHA', 'AES256-SHA'];
const KEYS = ['rsa', 'rsaPss', 'p256', 'p384'] as const;
const KEY_NAMES = { rsa: 'RSA-2048', rsaPss: 'RSA-PSS', p256: 'P-256', p384: 'P-384' };
const ASKS = ['none', 'request', 'require'] as const;
const CLIENTS: readonly Identity[] = [peers.rsa, peers.p256, peers.p384];
const clientCa = CLIENTS.map(({ certificate }) => certificate).join('');

interface Case extends Omit<ServerSetting, 'asks'> {
  readonly keyName: string;
  readonly note: string;
}

const CASES: Case[] = KEYS.flatMap((keyKind) => {
  const base = { identity: peers[keyKind], keyName: KEY_NAMES[keyKind], clientCa, note: '' };
  const kind = keyKind.startsWith('rsa') ? 'RSA' : 'ECDSA';
  const of12 = (bulk: string) => ({ ...base, version: '1.2' as const, cipher: `ECDHE-${kind}-${bulk}` });
  return [
    ...SUITES_13.map((cipher) => ({ ...base, version: '1.3' as const, cipher })),
    ...BULKS_12.map(of12),
    ...CBC_12.map((bulk) => ({ ...of12(bulk), note: 'encrypt-then-MAC' })),
    ...CBC_12.map((bulk) => ({ ...of12(bulk), isMacFirst: true, note: 'MAC-then-encrypt' })),
    ...(['P-256', 'P-384'] as const).flatMap((group) => [
      { ...base, version: '1.3' as const, cipher: 'TLS_AES_128_GCM_SHA256', group, note: `asks for ${group}` },
      { ...of12('AES128-GCM-SHA256'), group, note: `takes ${group} only` },
    ]),
  ];
});

const table: string[] = [];
afterAll(() => {
  process.stdout.write(`\n${table.join('\n')}\n\n`);
});

describe.each(MAKERS)('%s', (maker, start) => {
  test(`${maker} and the engine understand each other in all ${CASES.length * ASKS.length} cases`, async () => {
    const failures: string[] = [];
    table.push('', maker, row('version', 'suite', 'key', ...ASKS, ''));
    for (const [index, one] of CASES.entries()) {
      const cells: string[] = [];
      for (const asks of ASKS) {
        const cell = await run(start, { ...one, asks }, index);
        cells.push(cell);
        if (!cell.endsWith('ms'))
          failures.push(`${one.version} ${one.cipher} ${one.keyName} ${asks} ${one.note}: ${cell}`);
      }
      table.push(row(one.version, one.cipher, one.keyName, ...cells, one.note));
    }
    expect(failures).toEqual([]);
  }, 600_000);
});

function row(...cells: string[]): string {
  const widths = [8, 31, 9, 9, 9, 9, 0];
  return cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join(' ')
    .trimEnd();
}

/** The duration of the handshake, or what went wrong. */
async function run(start: ServerMaker, setting: ServerSetting, index: number): Promise<string> {
  const server = await start(setting);
  try {
    const identity = CLIENTS[index % CLIENTS.length] as Identity;
    const clientCertificate = setting.asks === 'none' ? null : identityOf(identity);
    // On request it may also stay away, which every third case tries.
    const shown = setting.asks === 'request' && index % 3 === 0 ? null : clientCertificate;
    return await visit(server.port, setting, shown);
  } catch (error) {
    return isWinRmError(error) ? `${error.code} ${JSON.stringify(error.details)}` : String(error);
  } finally {
    await server.stop();
  }
}

async function visit(
  port: number,
  setting: ServerSetting,
  clientCertificate: ClientCertificate | null,
): Promise<string> {
  const below = await nodeDialer({ host: '127.0.0.1', port });
  const { stream, version, group, handshakeMs } = await secure(below, {
    host: PEER_HOST,
    platform: defaultPlatform,
    judge: (chain) => trustAnyone(chain.map(({ der }) => der)),
    clientCertificate,
    allowLegacy: true,
  });
  try {
    await stream.write(utf8Encode('GET / HTTP/1.0\r\n\r\n'));
    const parts: Uint8Array[] = [];
    for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) parts.push(bytes);
    const page = utf8Decode(concatBytes(...parts));
    if (!page.startsWith('HTTP/1.0 200')) return `read ${page.length}: ${page.slice(0, 40)}`;
    if (version !== setting.version) return `spoke ${version}`;
    if (setting.group !== undefined && group !== setting.group) return `agreed in ${group}`;
    return `${handshakeMs.toFixed(0)} ms`;
  } finally {
    stream.destroy();
  }
}
