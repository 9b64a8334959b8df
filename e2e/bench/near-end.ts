import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { blockOfBytes, CHUNK_BYTES, hashOfBlocks, MIB, PACED_CHUNKS } from './pattern.ts';

/** Longest wait for one measurement. */
const LIMIT_MS = 60_000;
const HIGH_WATER_BYTES = MIB;

/** This side of a pipe, whatever it is made of. */
export interface NearEnd {
  /** Resolves when more may be sent. */
  send(bytes: Uint8Array): Promise<void>;
  onBytes(listener: (bytes: Buffer) => void): void;
  close(): void;
}

/** A pipe that is plain TCP, all the way or up to whoever carries it on. */
export function overTcp(port: number): Promise<NearEnd> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => resolve(overSocket(socket)));
    socket.once('error', reject);
  });
}

/** The same over a TCP connection that is open. */
export function overSocket(socket: Socket): NearEnd {
  return {
    send: (bytes) =>
      new Promise((sent) => {
        if (socket.write(bytes)) sent();
        else socket.once('drain', () => sent());
      }),
    onBytes: (listener) => void socket.on('data', listener),
    close: () => socket.destroy(),
  };
}

/** A pipe that begins as a WebSocket, which is open. */
export function overWebSocket(socket: WebSocket): NearEnd {
  return {
    send: (bytes) =>
      new Promise((sent) => {
        const isFull = socket.bufferedAmount > HIGH_WATER_BYTES;
        socket.send(bytes, { binary: true }, () => isFull && sent());
        if (!isFull) sent();
      }),
    onBytes(listener) {
      socket.on('message', (content: Buffer, isBinary) => {
        if (isBinary) listener(content);
      });
    },
    close: () => socket.terminate(),
  };
}

/**
 * MB/s from the far end to here.
 * @param isPaced whether the far end has no more than `PACED_CHUNKS` on their way, a byte from here for each
 * @throws when what came is not what was sent
 */
export async function measureDown(near: NearEnd, count: number, isPaced = false): Promise<number> {
  const kept: Buffer[] = [];
  const began = performance.now();
  await within(
    new Promise<void>((resolve) => {
      let left = count * MIB;
      let unsaid = 0;
      near.onBytes((bytes) => {
        kept.push(bytes);
        left -= bytes.length;
        unsaid += bytes.length;
        const chunks = Math.floor(unsaid / CHUNK_BYTES);
        unsaid -= chunks * CHUNK_BYTES;
        if (isPaced && chunks > 0) void near.send(Buffer.alloc(chunks, '+'));
        if (left <= 0) resolve();
      });
      void near.send(order(isPaced ? 'd' : 'D', count));
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const hash = createHash('sha256');
  for (const part of kept.splice(0)) hash.update(part);
  if (hash.digest('hex') !== hashOfBlocks(count)) throw new Error('what came down is not what was sent');
  return (count * MIB) / 1e6 / seconds;
}

/**
 * MB/s from here to the far end, until it has said that it has everything.
 * @param isPaced whether no more than `PACED_CHUNKS` are on their way, a byte from there for each
 * @throws when it got something else
 */
export async function measureUp(near: NearEnd, count: number, isPaced = false): Promise<number> {
  const block = blockOfBytes();
  let answer = Buffer.alloc(0);
  let hasAll = 0;
  let chunksThere = 0;
  let wake = () => {};
  const chunkCount = isPaced ? (count * MIB) / CHUNK_BYTES : 0;
  const answered = new Promise<void>((resolve) => {
    near.onBytes((bytes) => {
      const said = Math.min(bytes.length, chunkCount - chunksThere);
      chunksThere += said;
      wake();
      const rest = bytes.subarray(said);
      if (rest.length === 0) return;
      if (hasAll === 0) hasAll = performance.now();
      answer = Buffer.concat([answer, rest]);
      if (answer.length >= 1 + 32) resolve();
    });
  });
  await near.send(order(isPaced ? 'u' : 'U', count));
  const began = performance.now();
  let sent = 0;
  for (let at = 0; at < count; at += 1) {
    for (let from = 0; from < MIB; from += CHUNK_BYTES) {
      while (isPaced && sent - chunksThere >= PACED_CHUNKS) {
        await within(
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
        );
      }
      sent += 1;
      await near.send(block.subarray(from, from + CHUNK_BYTES));
    }
  }
  await within(answered);
  if (answer.subarray(1).toString('hex') !== hashOfBlocks(count)) throw new Error('what went up is not what was sent');
  return (count * MIB) / 1e6 / ((hasAll - began) / 1000);
}

/** Milliseconds of each of `count` round trips of one byte, one after the other. */
export async function measureEcho(near: NearEnd, count: number): Promise<number[]> {
  const times: number[] = [];
  await within(
    new Promise<void>((resolve) => {
      let sentAt = 0;
      const ping = () => {
        sentAt = performance.now();
        void near.send(Buffer.from('.'));
      };
      near.onBytes(() => {
        times.push(performance.now() - sentAt);
        if (times.length < count) ping();
        else resolve();
      });
      void near.send(order('E', 0)).then(() => setTimeout(ping, 20));
    }),
  );
  return times;
}

function order(letter: string, count: number): Buffer {
  const bytes = Buffer.alloc(5, letter, 'latin1');
  bytes.writeUInt32BE(count, 1);
  return bytes;
}

async function within(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('a measurement did not end')), LIMIT_MS);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
