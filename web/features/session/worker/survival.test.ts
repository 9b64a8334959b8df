import { type RoadLink, type SessionState, WinRmError } from '@fairlead/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { request } from '../scripted-request.ts';
import { FarSession, type WorkerLine } from './far-session.ts';
import { factsOf } from './link-facts.ts';
import { makeFarSession, takeFarSession } from './make-far-session.ts';
import type { FromWorker, SessionMemo, ToWorker } from './messages.ts';
import { chunk, order, Scripted, settle } from './scripted-session.ts';
import { GRACE_MS, SessionService } from './serve-session.ts';

const memo: SessionMemo = {
  beganAt: 5,
  request,
};

const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
  vi.useRealTimers();
});

/** A worker that outlives its pages, and ways for pages to come to it. */
function worker() {
  const near = new Scripted();
  const heard: FromWorker[][] = [];
  let endCount = 0;
  const service = new SessionService({
    makeSession: () => Promise.resolve(near),
    unpack: () => Promise.reject(new TypeError('no certificate was sent')),
    end: () => {
      endCount += 1;
    },
    clock: () => 1_000,
  });
  const page = (): WorkerLine => {
    const { port1, port2 } = new MessageChannel();
    open.push(port1, port2);
    const mine: FromWorker[] = [];
    heard.push(mine);
    let onMessage: (message: FromWorker) => void = () => {};
    port1.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      mine.push(data);
      onMessage(data);
    };
    service.connect({
      post: (message, transfer = []) => port2.postMessage(message, transfer),
      listen: (listener) => {
        port2.onmessage = ({ data }: MessageEvent<ToWorker>) => listener(data);
      },
    });
    const post = (message: ToWorker) => port1.postMessage(message);
    return {
      post,
      listen: (listener) => {
        onMessage = listener;
      },
      onFault: () => {},
      cut: () => post({ say: 'end' }),
      leave: () => post({ say: 'leave' }),
    };
  };
  return { near, service, page, heard, ends: () => endCount };
}

async function begun() {
  const all = worker();
  const far = await makeFarSession(all.page(), order, null, null, memo);
  void far.open();
  await settle();
  all.near.move({ at: 'ready', link: 'live' });
  await settle();
  return { ...all, far };
}

const take = (line: WorkerLine) => takeFarSession(line, () => Promise.resolve(null));
const text = (past: { readonly bytes?: Uint8Array } | object) =>
  new TextDecoder().decode('bytes' in past ? past.bytes : undefined);

describe('a session that outlives its page', () => {
  test('is found by the page that comes back, with everything that was written, typed and being typed', async () => {
    const { near, far, page } = await begun();
    const output = far.output[Symbol.asyncIterator]();
    near.give(chunk('C:\\>'));
    await output.next();
    far.note({ what: 'line', prompt: 'C:\\>', text: 'dir' });
    far.keepDraft({ text: 'half a li', queue: ['next'] });
    near.give(chunk('a.txt\n'), { stream: 'gap', bytes: new Uint8Array() });
    await settle();
    far.leave?.();
    await settle();
    near.give(chunk('b.txt\n'));
    const found = await take(page());
    expect(found?.memo).toEqual(memo);
    expect(found?.session.promptWord).toBe('word');
    expect(found?.session.state).toEqual({ at: 'ready', link: 'live' });
    expect(found?.session.journal.entries).toEqual(near.journal.entries);
    const { survived } = found?.session ?? {};
    expect(survived?.draft).toEqual({ text: 'half a li', queue: ['next'] });
    const past = survived?.past.map((one) => (one.what === 'chunk' ? text(one) : one.what)) ?? [];
    expect(past.slice(0, 4)).toEqual(['C:\\>', 'line', 'a.txt\n', 'gap']);
    // What was on its way when the page went is in the record or comes now, and never both.
    const later = found?.session.output[Symbol.asyncIterator]();
    if (past.length === 4) expect(text((await later?.next())?.value ?? {})).toBe('b.txt\n');
    else expect(past[4]).toBe('b.txt\n');
    near.give(chunk('c.txt\n'));
    expect(text((await later?.next())?.value ?? {})).toBe('c.txt\n');
  });

  test('asks for no more output while no page is there to take it', async () => {
    const { near, far } = await begun();
    const output = far.output[Symbol.asyncIterator]();
    near.give(chunk('one'));
    await output.next();
    far.leave?.();
    await settle();
    near.give(chunk('two'));
    await settle();
    const { asked } = near;
    near.give(chunk('three'), chunk('four'));
    await settle();
    expect(near.asked).toBeLessThanOrEqual(asked + 1);
    expect(near.chunks.length).toBeGreaterThan(0);
  });

  test('is closed when nobody has come back in time, and its worker ends', async () => {
    const { near, far, ends } = await begun();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    far.leave?.();
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    await vi.advanceTimersByTimeAsync(GRACE_MS - 5_000);
    expect(near.isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(near.isClosed).toBe(true);
    expect(ends()).toBe(1);
  });

  test('goes to the newest page, and the one before is told', async () => {
    const { near, far, page, heard } = await begun();
    let told = 0;
    far.watchFacts(() => {
      told += 1;
    });
    const pending = far.writeText('never settled here');
    const found = await take(page());
    await expect(
      pending.then(
        () => 'sent',
        ({ code }: WinRmError) => code,
      ),
    ).resolves.toMatch(/sent|session.cancelled/);
    await settle();
    expect(far.isMoved).toBe(true);
    expect(told).toBeGreaterThan(0);
    await expect(far.writeText('no')).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    await found?.session.writeText('yes');
    expect(near.sent.at(-1)).toBe('yes');
    const before = heard[0]?.length ?? 0;
    near.move({ at: 'ready', link: 'held' });
    await settle();
    expect(heard[0]).toHaveLength(before);
    expect(near.isClosed).toBe(false);
  });

  test('tells the next page what became of a line that the one before had sent: shell.fate-unknown', async () => {
    const { near, far, page } = await begun();
    let reject: (error: WinRmError) => void = () => {};
    near.writeText = () =>
      new Promise<never>((_resolve, refuse) => {
        reject = refuse;
      });
    const sent = far.writeText('dir').catch(() => undefined);
    await settle();
    far.leave?.();
    await settle();
    reject(new WinRmError('shell.fate-unknown', { operation: 'Send' }));
    const found = await take(page());
    expect(found?.session.survived?.lateError).toMatchObject({ code: 'shell.fate-unknown' });
    void sent;
  });

  test('that ended meanwhile still shows its end', async () => {
    const { near, far, page } = await begun();
    const output = far.output[Symbol.asyncIterator]();
    near.give(chunk('bye'));
    await output.next();
    far.leave?.();
    near.give('end');
    await settle();
    near.move({ at: 'ended', exit: { signed: 7, unsigned: 7 } });
    await settle();
    const found = await take(page());
    expect(found?.session.state).toEqual({ at: 'ended', exit: { signed: 7, unsigned: 7 } });
    expect(found?.session.survived?.past.map(text)).toEqual(['bye']);
    await found?.session.open();
    expect(await found?.session.output[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
  });

  test('tells of a fault of its own, and ends: misuse.wrong-state', async () => {
    const { service, heard, ends } = await begun();
    service.fail();
    await settle();
    expect(heard[0]?.at(-1)).toEqual({ say: 'fault' });
    expect(ends()).toBe(1);
  });

  test('keeps nothing for a page where no page can come back', async () => {
    const all = worker();
    const far = await makeFarSession(all.page(), order, null, null, null);
    expect(far).toBeInstanceOf(FarSession);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const found = take(all.page());
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await found).toBeNull();
  });

  test('passes on that the machine has a network again, and that somebody does not want to wait', async () => {
    const { near, far } = await begun();
    let hurries = 0;
    Object.assign(near, {
      hurry: () => {
        hurries += 1;
      },
    });
    far.hurry();
    far.online();
    await settle();
    expect(hurries).toBe(2);
  });
});

describe('how a session is carried', () => {
  const link = (more: Partial<RoadLink>): RoadLink => ({
    ...{ state: 'live', via: 'websocket', heldBytes: 0, sinceMs: 9_000, retryInMs: 0, givenUpInMs: null },
    resumedCount: 0,
    ...more,
  });
  const session = (state: SessionState, links: RoadLink[], more: object = {}) =>
    Object.assign(new Scripted(), { road: { now: () => {}, links: () => links.map((one) => ({ link: one })) } }, more, {
      state,
    });
  const ready = (shown: 'live' | 'held' | 'reopening'): SessionState => ({ at: 'ready', link: shown });

  test('is told of both connections in one: the longest loss, the next attempt, the earliest end', () => {
    const held = { state: 'held', heldBytes: 10, givenUpInMs: 200_000 } as const;
    const links = [
      link({ ...held, sinceMs: 400, retryInMs: 300 }),
      link({ ...held, sinceMs: 500, retryInMs: 100, givenUpInMs: 100_000, resumedCount: 2, via: 'http' }),
    ];
    expect(factsOf(session(ready('held'), links), 1).link).toEqual({
      ...{ state: 'held', via: 'http', heldBytes: 20, sinceMs: 500, retryInMs: 100, givenUpInMs: 100_000 },
      ...{ resumedCount: 2, attempt: 0, error: null },
    });
  });

  test('counts the attempts to open connections anew', () => {
    const error = new WinRmError('relay.unreachable', { url: 'http://relay' });
    const reopening = { attempt: 3, nextInMs: 4_000, givenUpInMs: 60_000, error };
    expect(factsOf(session(ready('reopening'), [link({})], { reopening }), 7_000).link).toMatchObject({
      ...{ state: 'reopening', sinceMs: 7_000, retryInMs: 4_000, givenUpInMs: 60_000, attempt: 3, error },
    });
  });

  test('is live where no road tells', () => {
    const plain = Object.assign(new Scripted(), { state: ready('live') });
    expect(factsOf(plain, 3)).toMatchObject({ link: { state: 'live', via: 'websocket' }, standing: null, advice: [] });
  });
});
