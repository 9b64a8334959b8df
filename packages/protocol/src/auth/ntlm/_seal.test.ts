import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex, utf8Encode, utf16leEncode } from '../../bytes/bytes.ts';
import exchange from '../spnego/vectors/pyspnego-ntlm-exchange.json' with { type: 'json' };
import { NTLM_FLAG } from './_messages.ts';
import { createNtlmSealing } from './_seal.ts';
import published from './vectors/ms-nlmp-4-2-4.json' with { type: 'json' };

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? expect.fail('not hexadecimal');
const key = new Uint8Array(16).fill(0x55);
const flags = Number.parseInt(published.flags, 16);

describe('NtlmSealing', () => {
  test('wrap gives the sealed text and signature of [MS-NLMP] 4.2.4.4', () => {
    const sealed = createNtlmSealing(key, flags, 'client').wrap(utf16leEncode('Plaintext'));
    expect(toHex(sealed.body)).toBe(published.sealedPlaintext);
    expect(toHex(sealed.header)).toBe(published.signature);
  });

  test('wrap leaves the checksum unencrypted without KEY_EXCH', () => {
    const sealed = createNtlmSealing(key, flags & ~NTLM_FLAG.keyExchange, 'client').wrap(utf16leEncode('Plaintext'));
    expect(toHex(sealed.header)).toBe(published.signatureWithoutKeyExchange);
  });

  test('sign and a restarted stream reproduce the sealed messages behind a mechListMIC', () => {
    const client = createNtlmSealing(key, flags, 'client');
    const server = createNtlmSealing(key, flags, 'server');
    const mechTypeList = bytes('300c060a2b06010401823702020a');
    const mic = client.sign(mechTypeList);
    expect(toHex(mic)).toBe(exchange.mechListMic);
    expect(server.verify(mechTypeList, mic)).toBe(true);
    client.restartOutgoing();
    server.restartIncoming();
    const answer = server.sign(mechTypeList);
    expect(toHex(answer)).toBe(exchange.serverFinal.slice(-32));
    expect(client.verify(mechTypeList, answer)).toBe(true);
    server.restartOutgoing();
    client.restartIncoming();
    for (const seal of exchange.seals) {
      const [from, to] = seal.by === 'client' ? [client, server] : [server, client];
      const sealed = from.wrap(utf8Encode(seal.plain));
      expect(toHex(sealed.header)).toBe(seal.signature);
      expect(toHex(sealed.body)).toBe(seal.data);
      expect(to.unwrap(sealed.header, sealed.body)).toEqual(utf8Encode(seal.plain));
    }
  });

  test('unwrap undoes wrap, message after message', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (messages) => {
        const client = createNtlmSealing(key, flags, 'client');
        const server = createNtlmSealing(key, flags, 'server');
        for (const message of messages) {
          const sealed = client.wrap(message);
          expect(server.unwrap(sealed.header, sealed.body)).toEqual(message);
        }
      }),
    );
  });

  test('unwrap refuses messages out of order: seal.bad-signature', () => {
    const client = createNtlmSealing(key, flags, 'client');
    client.wrap(utf8Encode('first'));
    const second = client.wrap(utf8Encode('second'));
    const server = createNtlmSealing(key, flags, 'server');
    expect(() => server.unwrap(second.header, second.body)).toThrow(
      expect.objectContaining({ code: 'seal.bad-signature', details: { sequence: 0 } }),
    );
  });

  test('unwrap refuses any changed byte, and then everything: seal.bad-signature, misuse.wrong-state', () => {
    const sealed = createNtlmSealing(key, flags, 'client').wrap(utf8Encode('<s:Envelope/>'));
    for (let at = 0; at < sealed.header.length + sealed.body.length; at++) {
      const header = sealed.header.slice();
      const body = sealed.body.slice();
      if (at < header.length) header[at] = (header[at] as number) ^ 1;
      else body[at - header.length] = (body[at - header.length] as number) ^ 1;
      const server = createNtlmSealing(key, flags, 'server');
      expect(() => server.unwrap(header, body)).toThrow('seal.bad-signature');
      expect(() => server.unwrap(sealed.header, sealed.body)).toThrow('misuse.wrong-state');
      expect(() => server.wrap(sealed.body)).toThrow('misuse.wrong-state');
    }
  });

  test.each([0, 15, 17])('unwrap refuses a signature of %i bytes: seal.bad-signature', (length) => {
    const sealed = createNtlmSealing(key, flags, 'client').wrap(utf8Encode('x'));
    const header = new Uint8Array(length);
    header.set(sealed.header.subarray(0, length));
    expect(() => createNtlmSealing(key, flags, 'server').unwrap(header, sealed.body)).toThrow('seal.bad-signature');
  });

  test('verify says no to a forged signature and dies: misuse.wrong-state', () => {
    const client = createNtlmSealing(key, flags, 'client');
    expect(client.verify(utf8Encode('list'), new Uint8Array(16))).toBe(false);
    expect(() => client.sign(utf8Encode('list'))).toThrow('misuse.wrong-state');
  });

  test('destroy ends every use: misuse.wrong-state', () => {
    const client = createNtlmSealing(key, flags, 'client');
    client.destroy();
    client.destroy();
    const uses = [
      () => client.wrap(key),
      () => client.unwrap(key, key),
      () => client.verify(key, key),
      () => client.restartOutgoing(),
      () => client.restartIncoming(),
    ];
    for (const use of uses) expect(use).toThrow('misuse.wrong-state');
  });

  test('createNtlmSealing refuses a key of another length: misuse.bad-argument', () => {
    expect(() => createNtlmSealing(new Uint8Array(15), flags, 'client')).toThrow('misuse.bad-argument');
  });
});
