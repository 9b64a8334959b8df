import { describe, expect, it } from 'vitest';
import { Journal } from '../journal.ts';
import { fixedPlatform } from '../testing/index.ts';
import { answer, fault } from '../testing/winrm-double.ts';
import { WsmanClient } from './client.ts';
import { DEFAULT_REQUEST_BYTES } from './envelope.ts';
import type { Lane } from './lane.ts';
import { deleteShell, getConfig, send } from './operations.ts';
import { NAMESPACES } from './uris.ts';

const signal = new AbortController().signal;

/** A lane that answers by a function of the envelope. */
function fakeLane(reply: (envelope: string) => string) {
  const posted: { envelope: string; replyWithinMs: number; isRepeatable: boolean }[] = [];
  const lane: Lane = {
    name: 'control',
    async post(compose, { replyWithinMs, isRepeatable }) {
      const envelope = compose();
      posted.push({ envelope, replyWithinMs, isRepeatable });
      return reply(envelope);
    },
    async close() {},
  };
  return { lane, posted };
}

const idOf = (envelope: string): string => /<a:MessageID>([^<]+)</.exec(envelope)?.[1] ?? '';

function clientOf() {
  const platform = fixedPlatform();
  const journal = new Journal(() => 0);
  return { client: new WsmanClient({ url: 'http://srv:5985/wsman', platform, journal }), journal };
}

const config = (kilobytes: number) => (envelope: string) =>
  String(
    answer(idOf(envelope), `<cfg:Config><cfg:MaxEnvelopeSizekb>${kilobytes}</cfg:MaxEnvelopeSizekb></cfg:Config>`).body,
  );

describe('WsmanClient', () => {
  it('gives every attempt a MessageID of its own and all of them one SessionId', async () => {
    const { lane, posted } = fakeLane((envelope) => String(answer(idOf(envelope), '').body));
    const { client } = clientOf();
    await client.post(deleteShell('S'), lane, signal);
    await client.post(deleteShell('S'), lane, signal);
    const ids = posted.map(({ envelope }) => idOf(envelope));
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toMatch(/^uuid:[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    const sessions = posted.map(({ envelope }) => /<p:SessionId[^>]*>([^<]+)</.exec(envelope)?.[1]);
    expect(new Set(sessions).size).toBe(1);
    expect(posted[0]).toMatchObject({ replyWithinMs: 10_000, isRepeatable: true });
  });

  it('refuses an answer to somebody else: wsman.wrong-reply', async () => {
    const { lane } = fakeLane(() => String(answer('uuid:OTHER', '').body));
    await expect(clientOf().client.post(deleteShell('S'), lane, signal)).rejects.toMatchObject({
      code: 'wsman.wrong-reply',
    });
    const silent = fakeLane(() => String(answer('', '').body));
    await expect(clientOf().client.post(deleteShell('S'), silent.lane, signal)).rejects.toMatchObject({
      code: 'wsman.wrong-reply',
    });
  });

  it('sends nothing that is larger than the server takes: wsman.envelope-too-large', async () => {
    const { lane, posted } = fakeLane(() => '');
    const { client } = clientOf();
    const large = send('S', 'C', new Uint8Array(DEFAULT_REQUEST_BYTES), false);
    await expect(client.post(large, lane, signal)).rejects.toMatchObject({
      code: 'wsman.envelope-too-large',
      details: { limitBytes: DEFAULT_REQUEST_BYTES },
    });
    expect(posted).toEqual([]);
  });

  it.each([
    [500, 512_000],
    [10_000, 512_000],
    [64, 65_536],
    [1, 32_768],
  ])('learns the limit of a server that takes %i KB, within reason', async (kilobytes, limit) => {
    const { client } = clientOf();
    await client.learnLimit(fakeLane(config(kilobytes)).lane, signal);
    expect(client.requestLimitBytes).toBe(limit);
  });

  it('stays with the default where it may not know, and does not hide that the lane is lost', async () => {
    const { client, journal } = clientOf();
    const denied = fakeLane((envelope) => String(fault(idOf(envelope), '5', 'w:AccessDenied', 'no').body));
    await client.learnLimit(denied.lane, signal);
    expect(client.requestLimitBytes).toBe(DEFAULT_REQUEST_BYTES);
    expect(journal.entries.map(({ what }) => what)).toEqual([{ event: 'fault', code: '5' }]);
    const odd = fakeLane(() => `<s:Envelope xmlns:s="${NAMESPACES.s}"/>`);
    await client.learnLimit(odd.lane, signal);
    const foreign = fakeLane(() => String(answer('uuid:OTHER', '').body));
    await expect(client.learnLimit(foreign.lane, signal)).rejects.toMatchObject({ code: 'wsman.wrong-reply' });
  });

  it('does not journal that there is nothing yet', async () => {
    const { client, journal } = clientOf();
    const { lane } = fakeLane((envelope) => String(fault(idOf(envelope), '2150858793', 'w:TimedOut', 'x').body));
    await expect(client.post(getConfig(), lane, signal)).rejects.toMatchObject({
      code: 'wsman.timed-out',
      details: { seconds: 60 },
    });
    expect(journal.entries).toEqual([]);
  });
});
