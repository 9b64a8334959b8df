import { describe, expect, it } from 'vitest';
import { utf8Decode } from '../bytes/bytes.ts';
import type { OpenedRoad } from '../opened-road.ts';
import { fixedPlatform, type ScriptStep, scriptedPeer, settled, streamPair } from '../testing/index.ts';
import { identify } from './identify.ts';
import { parseTarget } from './target.ts';

const SOAP_WORDS = ['Envelope', 'Identify', 'wsmid'];

const reply = (status: number, body: string, ...headers: string[]): string =>
  [`HTTP/1.1 ${status} X`, 'Content-Type: text/x', `Content-Length: ${body.length}`, ...headers, '', body].join('\r\n');
const ASKS = ['WWW-Authenticate: Negotiate', 'WWW-Authenticate: Kerberos', 'Server: Microsoft-HTTPAPI/2.0'];

function ask(script: readonly ScriptStep[], form: OpenedRoad['form'] = 'origin') {
  const pair = streamPair();
  const peer = scriptedPeer(pair.far, script);
  peer.catch(() => undefined);
  const platform = fixedPlatform();
  const { target } = parseTarget('srv1');
  const openRoad = async () => ({ stream: pair.near, form, hasProxy: form === 'absolute' });
  return { pair, peer, platform, asked: identify({ target, openRoad, platform }) };
}

describe('identify of an http target', () => {
  it.each(['origin', 'absolute'] as const)(
    'R28: says no SOAP in the clear and reads which sign-ins are offered, in %s form',
    async (form) => {
      const { asked, peer, pair } = ask([{ request: () => reply(401, '', ...ASKS) }], form);
      expect(await asked).toEqual({
        offered: ['Negotiate', 'Kerberos'],
        server: 'Microsoft-HTTPAPI/2.0',
        identity: null,
      });
      const request = (await peer).requests[0];
      expect(request).toMatchObject({
        method: 'POST',
        target: form === 'origin' ? '/wsman' : 'http://srv1:5985/wsman',
        body: new Uint8Array(0),
      });
      expect(request?.headers.has('Authorization')).toBe(false);
      const written = utf8Decode(pair.written.near());
      for (const word of SOAP_WORDS) expect(written).not.toContain(word);
      expect(pair.destroyed.near()).not.toBeNull();
    },
  );

  it.each([
    [200, '<html>Welcome</html>', 'wsman.not-wsman'],
    [200, '', 'wsman.not-wsman'],
    [404, 'no', 'wsman.not-wsman'],
    [401, '', 'http.unexpected-status'],
    [503, 'busy', 'http.unexpected-status'],
  ])('says what else answers: %i with %j is %s', async (status, body, code) => {
    await expect(ask([{ request: () => reply(status, body) }]).asked).rejects.toMatchObject({ code });
  });

  it('gives up on silence: session.timed-out', async () => {
    const { asked, platform } = ask([]);
    const failed = expect(asked).rejects.toMatchObject({ code: 'session.timed-out', details: { at: 'Identify' } });
    await settled();
    await platform.advance(15_000);
    await failed;
  });
});
