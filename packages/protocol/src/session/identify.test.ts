import { describe, expect, it } from 'vitest';
import type { OpenedRoad } from '../opened-road.ts';
import { fixedPlatform, type ScriptStep, scriptedPeer, settled, streamPair } from '../testing/index.ts';
import { NAMESPACES } from '../wsman/uris.ts';
import { identify } from './identify.ts';
import { parseTarget } from './target.ts';

const IDENTITY =
  `<s:Envelope xmlns:s="${NAMESPACES.s}"><s:Header/><s:Body><i:IdentifyResponse xmlns:i="${NAMESPACES.wsmid}">` +
  '<i:ProtocolVersion>v1</i:ProtocolVersion><i:ProductVendor>Microsoft Corporation</i:ProductVendor>' +
  '<i:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</i:ProductVersion></i:IdentifyResponse></s:Body></s:Envelope>';

const reply = (status: number, body: string): string =>
  `HTTP/1.1 ${status} X\r\nContent-Type: text/x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function ask(script: readonly ScriptStep[], form: OpenedRoad['form'] = 'origin') {
  const pair = streamPair();
  const peer = scriptedPeer(pair.far, script);
  peer.catch(() => undefined);
  const platform = fixedPlatform();
  const { target } = parseTarget('srv1');
  const openRoad = async () => ({ stream: pair.near, form, hasProxy: false });
  return { pair, peer, platform, asked: identify({ target, openRoad, platform }) };
}

describe('identify', () => {
  it('asks without a credential and reads the answer', async () => {
    const { asked, peer, pair } = ask([{ request: () => reply(200, IDENTITY) }]);
    expect(await asked).toEqual({
      protocolVersion: 'v1',
      productVendor: 'Microsoft Corporation',
      productVersion: 'OS: 0.0.0 SP: 0.0 Stack: 3.0',
    });
    const request = (await peer).requests[0];
    expect(request?.headers.get('WSMANIDENTIFY')).toBe('unauthenticated');
    expect(request?.headers.has('Authorization')).toBe(false);
    expect(pair.destroyed.near()).not.toBeNull();
  });

  it.each([
    [200, '<html>Welcome</html>', 'wsman.not-wsman'],
    [200, '', 'wsman.not-wsman'],
    [404, 'no', 'wsman.not-wsman'],
    [401, '', 'http.unexpected-status'],
    [503, 'busy', 'http.unexpected-status'],
  ])('says what else answers: %i with %j is %s', async (status, body, code) => {
    await expect(ask([{ request: () => reply(status, body) }]).asked).rejects.toMatchObject({ code });
  });

  it('sends nothing where the last proxy reads each request: proxy.forward-refused', async () => {
    const { asked, pair } = ask([], 'absolute');
    await expect(asked).rejects.toMatchObject({ code: 'proxy.forward-refused' });
    expect(pair.written.near()).toHaveLength(0);
    expect(pair.destroyed.near()).not.toBeNull();
  });

  it('gives up on silence: session.timed-out', async () => {
    const { asked, platform } = ask([]);
    const failed = expect(asked).rejects.toMatchObject({ code: 'session.timed-out', details: { at: 'Identify' } });
    await settled();
    await platform.advance(15_000);
    await failed;
  });
});
