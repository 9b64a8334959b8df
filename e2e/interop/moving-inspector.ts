import { createServer, type Server } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { makeCertificate, thumbprintsOf } from '@fairlead/testbed';

/** A running inspector. */
export interface MovingInspector {
  readonly port: number;
  /** PEM of the authority it issues certificates with. */
  readonly authority: string;
  /** SHA-256 of the certificate it shows, as a pin has it. */
  readonly sha256: string;
  readonly stop: () => Promise<void>;
}

/**
 * A proxy that opens TLS and sends each request over a server connection of its own: what Squid 5.7 with `ssl_bump` does
 * to a sign-in now and then, done every time.
 */
export async function startMovingInspector(host: string): Promise<MovingInspector> {
  const authority = makeCertificate({ commonName: 'Moving Inspector CA', usage: 'authority' });
  const leaf = makeCertificate({ commonName: host, names: [host], issuer: authority });
  let port = 0;
  const opened = createServer((request, response) => {
    const { method, url: path, headers } = request;
    const place = { host: '127.0.0.1', port, servername: host, rejectUnauthorized: false, agent: false };
    const upstream = httpsRequest(
      { ...place, method, path, headers: { ...headers, connection: 'close' } },
      (answer) => {
        const { statusCode = 502, headers: fields } = answer;
        response.writeHead(statusCode, { ...fields, via: '1.1 mover', connection: 'keep-alive' });
        answer.pipe(response);
      },
    );
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  });
  const identity = { cert: leaf.certificate + authority.certificate, key: leaf.key };
  const inside = createTlsServer(identity, (socket) => opened.emit('connection', socket));
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  const proxy = createServer((_request, response) => response.writeHead(405).end());
  proxy.on('connect', (request, client) => {
    port = Number(request.url?.split(':').at(-1));
    const join = connect((inside.address() as AddressInfo).port, '127.0.0.1');
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    client.pipe(join).pipe(client);
    for (const socket of [client, join]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    authority: authority.certificate,
    sha256: thumbprintsOf(leaf.certificate).sha256,
    stop: async () => {
      for (const server of [proxy, opened] satisfies Server[]) server.closeAllConnections();
      await Promise.all([proxy, inside].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
