import { afterEach, describe, expect, test, vi } from 'vitest';
import { defaultPlatform } from '../src/adapters/default-platform.ts';
import { nodeDialer } from '../src/adapters/node-socket.ts';
import { utf8Decode, utf8Encode } from '../src/bytes/bytes.ts';
import { identityOf, PEER_HOST, trustAnyone } from '../src/testing/tls-rehearsal.ts';
import { type SecureStream, secure } from '../src/tls/stream.ts';
import peers from '../src/tls/vectors/peers.json' with { type: 'json' };
import { startTypist, type Typist } from './tls-servers.ts';

/** What a server may want after the handshake: another key, or a certificate. OpenSSL's `s_server`, by its keyboard. */

const clientCertificate = identityOf(peers.p256);
let server: Typist | null = null;
let stream: SecureStream | null = null;

afterEach(async () => {
  stream?.destroy();
  await server?.stop();
});

async function connect(version: '1.2' | '1.3') {
  server = await startTypist(version, peers.rsa, peers.p256.certificate);
  const below = await nodeDialer({ host: '127.0.0.1', port: server.port });
  const secured = await secure(below, {
    host: PEER_HOST,
    platform: defaultPlatform,
    judge: (chain) => trustAnyone(chain.map(({ der }) => der)),
    clientCertificate,
  });
  stream = secured.stream;
  return { server, stream };
}

/** Text both ways, after an order where there is one. */
async function expectTalk(typist: Typist, secured: SecureStream, word: string, order = ''): Promise<void> {
  const reading = secured.read();
  if (order !== '') {
    typist.type(order);
    await defaultPlatform.sleep(200); // what comes in one go counts as one line to it
  }
  typist.type(`to the tab ${word}`);
  expect(utf8Decode((await reading) ?? new Uint8Array(0))).toBe(`to the tab ${word}\n`);
  await secured.write(utf8Encode(`to the host ${word}\n`));
  await vi.waitFor(() => expect(typist.printed()).toContain(`to the host ${word}`), { timeout: 5000 });
}

describe('OpenSSL s_server after the handshake', () => {
  test('renegotiates TLS 1.2, first plainly, then for a certificate', async () => {
    const { server: typist, stream: secured } = await connect('1.2');
    await expectTalk(typist, secured, 'one');
    await expectTalk(typist, secured, 'two', 'r');
    expect(typist.printed()).not.toContain('verify return:1');
    await expectTalk(typist, secured, 'three', 'R');
    expect(typist.printed()).toContain('verify return:1');
  });

  test('changes keys of TLS 1.3, and has ours changed', async () => {
    const { server: typist, stream: secured } = await connect('1.3');
    await expectTalk(typist, secured, 'one');
    await expectTalk(typist, secured, 'two', 'k');
    await expectTalk(typist, secured, 'three', 'K');
    await expectTalk(typist, secured, 'four');
  });

  test('asks for a certificate in TLS 1.3', async () => {
    const { server: typist, stream: secured } = await connect('1.3');
    await expectTalk(typist, secured, 'one');
    expect(typist.printed()).not.toContain('verify return:1');
    await expectTalk(typist, secured, 'two', 'c');
    expect(typist.printed()).toContain('verify return:1');
  });
});
