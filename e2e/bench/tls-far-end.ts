/**
 * A TLS server that is measured against, Node's own, a process of its own. The first byte a client sends is the number of
 * MiB it gets. Words: a cipher of OpenSSL's and a version; or "plain", for a server without TLS. Prints READY and its port;
 * ends with its parent.
 */
import { readFileSync } from 'node:fs';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer, type SecureVersion } from 'node:tls';
import { blockOfBytes } from './pattern.ts';

const PEERS = new URL('../../packages/protocol/src/tls/vectors/peers.json', import.meta.url);
const peers: { p256: { certificate: string; key: string } } = JSON.parse(readFileSync(PEERS, 'utf8'));
const BLOCK = blockOfBytes();

const [ciphers = 'TLS_AES_128_GCM_SHA256', version = 'TLSv1.3'] = process.argv.slice(2);
const server = ciphers === 'plain' ? createTcpServer(serve) : tlsServer();
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(`READY ${address.port}`);
});
process.once('disconnect', () => process.exit());

function tlsServer(): Server {
  const only = version as SecureVersion;
  const identity = { cert: peers.p256.certificate, key: peers.p256.key };
  const made = createServer({ ...identity, ciphers, minVersion: only, maxVersion: only }, serve);
  return made.on('tlsClientError', () => undefined);
}

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.once('data', (bytes: Buffer) => send(socket, bytes[0] ?? 0));
}

function send(socket: Socket, count: number): void {
  let left = count;
  const pump = (): void => {
    while (left > 0) {
      left -= 1;
      if (!socket.write(BLOCK)) return;
    }
  };
  socket.on('drain', pump);
  pump();
}
