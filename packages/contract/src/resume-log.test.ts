import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkQueue } from './chunk-queue.ts';
import { ACK_BYTES, ResumeLog } from './resume-log.ts';

type Message = { bytes: Uint8Array } | { end: true } | { ack: number };

/** One end: what it was told to send, its log, and what has come out for its reader. */
class End {
  readonly log = new ResumeLog();
  readonly unread: number[] = [];
  readonly read: number[] = [];
  readonly given: number[] = [];
  hasEndedHere = false;
  isEndRead = false;
  inbox: Message[] = [];

  take(message: Message): void {
    if ('bytes' in message) {
      this.log.receive(message.bytes.length);
      this.unread.push(...message.bytes);
    } else if ('end' in message) this.log.receiveEnd();
    else expect(this.log.acknowledge(message.ack)).toBe(true);
  }

  readSome(count: number): void {
    const taken = this.unread.splice(0, count);
    this.read.push(...taken);
    this.log.take(taken.length);
    if (this.unread.length === 0 && this.log.hasEndedThere && !this.isEndRead) {
      this.isEndRead = true;
      this.log.take(1);
    }
  }
}

/** Both ends, and a link that may be there or not. */
class World {
  readonly ends = [new End(), new End()] as const;
  isLinked = true;
  next = 0;

  post(from: number, message: Message): void {
    if (this.isLinked) this.ends[from === 0 ? 1 : 0].inbox.push(message);
  }

  send(who: 0 | 1, length: number): void {
    const end = this.ends[who];
    if (end.hasEndedHere) return;
    const bytes = Uint8Array.from({ length }, () => this.next++ & 255);
    end.given.push(...bytes);
    end.log.send(bytes);
    this.post(who, { bytes: bytes.slice() });
  }

  end(who: 0 | 1): void {
    if (this.ends[who].hasEndedHere) return;
    this.ends[who].hasEndedHere = true;
    this.ends[who].log.end();
    this.post(who, { end: true });
  }

  deliver(who: 0 | 1): void {
    const message = this.ends[who].inbox.shift();
    if (message !== undefined) this.ends[who].take(message);
  }

  read(who: 0 | 1, count: number, isPatient: boolean): void {
    this.ends[who].readSome(count);
    if (!this.isLinked) return; // an acknowledgement that nobody would hear is not spent
    const ack = this.ends[who].log.acknowledgement(isPatient);
    if (ack !== null) this.post(who, { ack });
  }

  cut(): void {
    this.isLinked = false;
    for (const end of this.ends) end.inbox = [];
  }

  resume(): void {
    this.cut();
    this.isLinked = true;
    for (const who of [0, 1] as const) {
      const replay = this.ends[who].log.replay(this.ends[who === 0 ? 1 : 0].log.received);
      if (replay === null) throw new Error('refused');
      for (const piece of replay.pieces) this.post(who, { bytes: piece.slice() });
      if (replay.hasEnded) this.post(who, { end: true });
    }
  }
}

const who = fc.constantFrom(0 as const, 1 as const);
const step = fc.oneof(
  fc.record({ do: fc.constant('send' as const), who, n: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ do: fc.constant('deliver' as const), who }),
  fc.record({ do: fc.constant('read' as const), who, n: fc.integer({ min: 1, max: 6000 }), isPatient: fc.boolean() }),
  fc.record({ do: fc.constant('cut' as const) }),
  fc.record({ do: fc.constant('resume' as const) }),
  fc.record({ do: fc.constant('end' as const), who }),
);

test('any interleaving of sends, acknowledgements, cuts and resumes delivers every byte once, in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();
      for (const one of steps) {
        if (one.do === 'send') world.send(one.who, one.n);
        else if (one.do === 'deliver') world.deliver(one.who);
        else if (one.do === 'read') world.read(one.who, one.n, one.isPatient);
        else if (one.do === 'end') world.end(one.who);
        else world[one.do]();
        for (const { log } of world.ends) expect(log.keptBytes).toBeLessThanOrEqual(log.underWay);
      }
      world.end(0);
      world.end(1);
      world.resume();
      for (const side of [0, 1, 0, 1] as const) {
        while (world.ends[side].inbox.length > 0) world.deliver(side);
        world.read(side, Number.MAX_SAFE_INTEGER, false);
      }
      while (world.ends[0].inbox.length > 0) world.deliver(0);
      for (const [here, there] of [world.ends, [world.ends[1], world.ends[0]] as const]) {
        expect(here.read).toEqual(there.given);
        expect(here.isEndRead).toBe(true);
        expect(here.log.isSettled).toBe(true);
        expect(here.log.keptBytes).toBe(0);
      }
    }),
    { numRuns: 500 },
  );
});

test('a count that cannot be is refused and changes nothing', () => {
  const log = new ResumeLog();
  log.send(new Uint8Array(10));
  expect(log.acknowledge(11)).toBe(false);
  expect(log.acknowledge(4)).toBe(true);
  expect(log.acknowledge(3)).toBe(false);
  expect(log.replay(3)).toBeNull();
  expect(log.replay(11)).toBeNull();
  expect(log.replay(7)?.pieces.map((piece) => piece.length)).toEqual([3]);
  expect(log.replay(6)).toBeNull();
  expect(log.underWay).toBe(6);
  log.end();
  log.end();
  expect(log.sent).toBe(11);
  expect(log.replay(10)).toEqual({ pieces: [], hasEnded: true });
  expect(log.replay(11)).toEqual({ pieces: [], hasEnded: false });
  expect(log.isSettled).toBe(false);
  expect(log.acknowledge(11)).toBe(true);
  expect(log.isSettled).toBe(true);
});

test('an acknowledgement waits until it is worth a message, and is said again on a new link', () => {
  const log = new ResumeLog();
  log.receive(ACK_BYTES);
  expect(log.acknowledgement(true)).toBeNull();
  log.take(ACK_BYTES - 1);
  expect(log.acknowledgement(true)).toBeNull();
  log.take(1);
  expect(log.acknowledgement(true)).toBe(ACK_BYTES);
  expect(log.acknowledgement(false)).toBeNull();
  log.replay(0);
  expect(log.acknowledgement(true)).toBe(ACK_BYTES);
});

test('a queue gives back what was put in, whatever the pieces and the drops', () => {
  const act = fc.oneof(
    fc.record({
      do: fc.constant('append' as const),
      n: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 4000, max: 9000 })),
    }),
    fc.record({ do: fc.constant('drop' as const), n: fc.integer({ min: 0, max: 6000 }) }),
    fc.record({ do: fc.constant('shift' as const) }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const queue = new ChunkQueue();
      let model: number[] = [];
      let next = 0;
      for (const one of acts) {
        if (one.do === 'append') {
          const bytes = Uint8Array.from({ length: one.n }, () => next++ & 255);
          model = model.concat([...bytes]);
          queue.append(bytes);
        } else if (one.do === 'drop') {
          model = model.slice(one.n);
          queue.drop(one.n);
        } else {
          const bytes = queue.shift();
          expect(bytes === null).toBe(model.length === 0);
          if (bytes !== null) expect([...bytes]).toEqual(model.splice(0, bytes.length));
        }
        expect(queue.length).toBe(model.length);
      }
      const skip = Math.floor(model.length / 3);
      expect(queue.piecesFrom(skip).flatMap((piece) => [...piece])).toEqual(model.slice(skip));
    }),
    { numRuns: 300 },
  );
});

test('single bytes are held together, so that a million of them are few pieces', () => {
  const queue = new ChunkQueue();
  const byte = new Uint8Array(1);
  for (let i = 0; i < 1_000_000; i++) queue.append(byte);
  expect(queue.piecesFrom(0).length).toBeLessThan(64);
});
