import { isWinRmError, type TrustAnswer, type TrustOptions, type TrustQuestion, WinRmError } from '@fairlead/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ShellSession } from '../shell-session.ts';
import { MAX_UNDER_WAY } from './arrivals.ts';
import type { WorkerLine } from './far-session.ts';
import { makeFarSession } from './make-far-session.ts';
import { type FromWorker, type SessionOrder, type ToWorker, workerFault } from './messages.ts';
import { chunk, order, Scripted, settle } from './scripted-session.ts';
import { serveSession } from './serve-session.ts';

const lost = new WinRmError('relay.lost', { reason: 'test' });
const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
  vi.useRealTimers();
});

/** A page and a worker without a browser: the same messages over the same structured clone. */
function pair(make: (order: SessionOrder, ask: TrustOptions['ask']) => Promise<ShellSession>) {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const said: ToWorker[] = [];
  const heard: FromWorker[] = [];
  const faults: ((error: WinRmError) => void)[] = [];
  let cuts = 0;
  let onMessage: (message: FromWorker) => void = () => {};
  const line: WorkerLine = {
    post: (message, transfer = []) => {
      said.push(message);
      port1.postMessage(message, transfer);
    },
    listen: (listener) => {
      onMessage = listener;
    },
    onFault: (listener) => void faults.push(listener),
    leave: null,
    cut: () => {
      cuts += 1;
      port1.close();
    },
  };
  port1.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    heard.push(data);
    onMessage(data);
  };
  serveSession(
    {
      post: (message, transfer = []) => port2.postMessage(message, transfer),
      listen: (listener) => {
        port2.onmessage = ({ data }: MessageEvent<ToWorker>) => listener(data);
      },
    },
    {
      makeSession: (ordered, _certificate, ask) => make(ordered, ask),
      unpack: () => Promise.reject(new TypeError('no certificate was sent')),
    },
  );
  return { line, said, heard, cuts: () => cuts, fault: () => faults.at(-1)?.(workerFault()) };
}

async function connected(ask: TrustOptions['ask'] | null = null) {
  const near = new Scripted();
  const orders: SessionOrder[] = [];
  let asks: TrustOptions['ask'] = () => Promise.resolve('refuse');
  const wire = pair(async (ordered, asking) => {
    orders.push(ordered);
    asks = asking;
    return near;
  });
  const far = await makeFarSession(wire.line, order, null, ask);
  return { near, far, orders, ...wire, asks: (...asked: Parameters<TrustOptions['ask']>) => asks(...asked) };
}

async function ready() {
  const all = await connected();
  const opening = all.far.open();
  await settle();
  all.near.move({ at: 'ready', link: 'live' });
  await opening;
  return all;
}

describe('a session in a worker', () => {
  test('is made of what was ordered, and the password crosses once', async () => {
    const { orders, said, far } = await ready();
    expect(orders).toEqual([order]);
    expect(far.promptWord).toBe('word');
    await far.writeText('dir\r\n');
    expect(said.filter((message) => JSON.stringify(message).includes('Secret 1'))).toHaveLength(1);
  });

  test('refuses an order as the session does: misuse.bad-argument', async () => {
    const refusal = new WinRmError('misuse.bad-argument', { argument: 'user', reason: 'empty' });
    const wire = pair(() => Promise.reject(refusal));
    await expect(makeFarSession(wire.line, order, null, null)).rejects.toMatchObject({
      code: 'misuse.bad-argument',
      details: { argument: 'user', reason: 'empty' },
    });
    expect(wire.cuts()).toBe(1);
  });

  test('tells states, counts and the journal with the times at which they were written', async () => {
    const { near, far } = await connected();
    const states: string[] = [];
    const stop = far.watch(({ at }) => states.push(at));
    void far.open();
    await settle();
    near.move({ at: 'dialling', hop: 0 });
    near.move({ at: 'ready', link: 'live' });
    near.journal.record({ event: 'fault', code: '1' });
    await settle();
    expect(states).toEqual(['dialling', 'ready']);
    expect(far.state).toEqual({ at: 'ready', link: 'live' });
    expect(far.counts).toEqual(near.counts);
    expect(far.lastRoundTripMs).toBe(12);
    expect(far.journal.entries.map(({ what }) => what)).toEqual(near.journal.entries.map(({ what }) => what));
    stop();
    near.move({ at: 'ready', link: 'reopening' });
    await settle();
    expect(states).toHaveLength(2);
  });

  test('carries input, and its refusals with their details: misuse.bad-argument', async () => {
    const { near, far } = await ready();
    await far.writeText('dir\r\n');
    await far.interrupt('ctrl-break');
    await far.endInput();
    expect(near.sent).toEqual(['dir\r\n', '<ctrl-break>', '<end>']);
    near.refusal = new WinRmError('misuse.bad-argument', { argument: 'text', reason: 'not-in-code-page' });
    const error: unknown = await far.writeText('世界').catch((thrown: unknown) => thrown);
    expect(isWinRmError(error, 'misuse.bad-argument') && error.details.reason).toBe('not-in-code-page');
  });

  test('gives up an opening at once: session.cancelled', async () => {
    const { far } = await connected();
    const abort = new AbortController();
    const opening = far.open(abort.signal);
    abort.abort(new WinRmError('session.cancelled', { at: 'idle' }));
    await expect(opening).rejects.toMatchObject({ code: 'session.cancelled' });
    expect(far.state).toMatchObject({ at: 'closed', error: { code: 'session.cancelled' } });
  });

  test('gives up an opening even when the worker does not answer: session.cancelled', async () => {
    const { far, line, cuts } = await connected();
    vi.useFakeTimers();
    line.post = () => {};
    const abort = new AbortController();
    const opening = far.open(abort.signal).catch((error: unknown) => error);
    abort.abort(new WinRmError('session.cancelled', { at: 'idle' }));
    await vi.advanceTimersByTimeAsync(1000);
    expect(await opening).toMatchObject({ code: 'session.cancelled' });
    expect(far.state).toMatchObject({ at: 'closed', error: { code: 'session.cancelled' } });
    expect(cuts()).toBe(1);
  });
});

describe('output of a session in a worker', () => {
  test('arrives in order and whole, its memory handed over, gaps in their place', async () => {
    const { near, far } = await ready();
    const first = chunk('a');
    near.give(first, { stream: 'gap', bytes: new Uint8Array() }, { ...chunk('b'), stream: 'stderr' }, 'end');
    const seen: string[] = [];
    for await (const { stream, bytes } of far.output) seen.push(`${stream}:${new TextDecoder().decode(bytes)}`);
    expect(seen).toEqual(['stdout:a', 'gap:', 'stderr:b']);
    expect(first.bytes.byteLength).toBe(0);
  });

  test('is not asked for before anybody wants it, and only so far ahead of the terminal', async () => {
    const { near, far } = await ready();
    near.give(...Array.from({ length: 20 }, (_, at) => chunk(String(at))));
    await settle();
    expect(near.asked).toBe(0);
    const taking = far.output[Symbol.asyncIterator]();
    await taking.next();
    await settle();
    expect(near.asked).toBe(MAX_UNDER_WAY + 1);
    await taking.next();
    await taking.next();
    await settle();
    expect(near.asked).toBe(MAX_UNDER_WAY + 3);
  });

  test('its end is told when what came before has been taken', async () => {
    const { near, far } = await ready();
    near.give(chunk('a'), chunk('b'), 'end');
    const seen: string[] = [];
    far.watch(({ at }) => seen.push(at));
    const taking = far.output[Symbol.asyncIterator]();
    await taking.next();
    near.move({ at: 'ended', exit: { signed: 0, unsigned: 0 } });
    await settle();
    seen.push((await taking.next()).done === false ? 'b' : 'nothing');
    await settle();
    expect(seen).toEqual(['b']);
    expect((await taking.next()).done).toBe(true);
    expect(seen).toEqual(['b', 'ended']);
    await expect(far.writeText('x')).rejects.toMatchObject({ code: 'shell.closed' });
  });

  test('ends with what cut it: relay.lost', async () => {
    const { near, far } = await ready();
    near.give(chunk('a'), lost);
    const taking = far.output[Symbol.asyncIterator]();
    await taking.next();
    near.move({ at: 'lost', error: lost, canReconnect: true });
    await expect(taking.next()).rejects.toMatchObject({ code: 'relay.lost' });
    await settle();
    expect(far.state).toMatchObject({ at: 'lost', canReconnect: true, error: { code: 'relay.lost' } });
  });
});

describe('a question about a host', () => {
  const question = { target: 'web01:5986', pin: { sha256: 'AB', issuer: 'CN=x', sinceMs: 1 } } as TrustQuestion;

  test('reaches the page, and its answer the session', async () => {
    const questions: TrustQuestion[] = [];
    const { asks } = await connected(async (asked) => {
      questions.push(asked);
      return 'pin';
    });
    expect(await asks(question, new AbortController().signal)).toBe('pin');
    expect(questions).toEqual([question]);
  });

  test('is refused when the page cannot keep the pin, and where nobody can be asked', async () => {
    for (const ask of [() => Promise.reject(lost), null]) {
      const { asks } = await connected(ask);
      expect(await asks(question, new AbortController().signal)).toBe('refuse');
    }
  });

  test('is withdrawn when nobody waits for the answer any more', async () => {
    let withdrawn = false;
    const { asks } = await connected(
      (_question, signal) =>
        new Promise<TrustAnswer>((resolve) => {
          signal.addEventListener('abort', () => {
            withdrawn = true;
            resolve('refuse');
          });
        }),
    );
    const waiting = new AbortController();
    void asks(question, waiting.signal);
    await settle();
    waiting.abort();
    await settle();
    expect(withdrawn).toBe(true);
  });
});

describe('the end of a worker', () => {
  test('comes after the farewell', async () => {
    const { near, far, cuts } = await ready();
    const closing = far.close();
    expect(cuts()).toBe(0);
    await closing;
    expect(near.isClosed).toBe(true);
    expect(cuts()).toBeGreaterThan(0);
    expect(far.state).toEqual({ at: 'closed', error: null });
    await far.close();
    await expect(far.writeText('x')).rejects.toMatchObject({ code: 'misuse.wrong-state' });
  });

  test('comes within seconds when the worker does not answer', async () => {
    const { far, line, cuts } = await ready();
    vi.useFakeTimers();
    line.post = () => {};
    const closing = far.close();
    await vi.advanceTimersByTimeAsync(7000);
    await closing;
    expect(cuts()).toBe(1);
  });

  test('comes by itself when the session is over', async () => {
    const { near, far, cuts } = await ready();
    near.give('end');
    for await (const _ of far.output) expect.fail('there is no output');
    near.move({ at: 'ended', exit: { signed: 3, unsigned: 3 } });
    await settle();
    expect(near.isClosed).toBe(true);
    expect(cuts()).toBe(1);
    expect(far.state).toMatchObject({ at: 'ended', exit: { signed: 3 } });
  });

  test('by a fault is our mistake and loses the session: misuse.wrong-state', async () => {
    const { near, far, fault, cuts } = await ready();
    near.writeText = () => new Promise(() => {});
    const writing = far.writeText('dir\r\n').catch((error: unknown) => error);
    const taking = far.output[Symbol.asyncIterator]().next();
    fault();
    expect(far.state).toMatchObject({ at: 'lost', canReconnect: true, error: { code: 'misuse.wrong-state' } });
    expect(await writing).toMatchObject({ code: 'misuse.wrong-state' });
    await expect(taking).rejects.toMatchObject({ code: 'misuse.wrong-state' });
    expect(far.journal.entries.at(-1)?.what).toEqual({ event: 'error', code: 'misuse.wrong-state' });
    expect(cuts()).toBe(1);
  });

  test('by a fault on the way up closes the session: misuse.wrong-state', async () => {
    const { far, fault } = await connected();
    const opening = far.open().catch((error: unknown) => error);
    fault();
    expect(await opening).toMatchObject({ code: 'misuse.wrong-state' });
    expect(far.state).toMatchObject({ at: 'closed', error: { code: 'misuse.wrong-state' } });
  });
});
