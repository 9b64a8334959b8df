/**
 * The far end of a pipe that is measured, a process of its own. Each connection begins with one letter and a number of
 * MiB in 4 bytes: D sends that much, U takes that much, says K and then the SHA-256 of it, E sends back what comes. In
 * small letters the two pace each other: whoever takes says a byte for each chunk. Prints READY and its port; ends with
 * its parent.
 */
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { blockOfBytes, CHUNK_BYTES, MIB, PACED_CHUNKS } from './pattern.ts';

const BLOCK = blockOfBytes();

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  const onFirst = (first: Buffer) => {
    socket.off('data', onFirst);
    const rest = first.subarray(5);
    const count = first.readUInt32BE(1);
    const letter = String.fromCharCode(first[0] ?? 0);
    if (letter === 'D') sendDown(socket, count);
    else if (letter === 'd') sendDownPaced(socket, count);
    else if (letter === 'U' || letter === 'u') takeUp(socket, count * MIB, rest, letter === 'u');
    else {
      if (rest.length > 0) socket.write(rest);
      socket.on('data', (bytes: Buffer) => socket.write(bytes));
    }
  };
  socket.on('data', onFirst);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(`READY ${address.port}`);
});

function sendDown(socket: Socket, count: number): void {
  let left = count;
  const pump = () => {
    while (left > 0) {
      left -= 1;
      if (!socket.write(BLOCK)) return;
    }
  };
  socket.on('drain', pump);
  pump();
}

function sendDownPaced(socket: Socket, count: number): void {
  const chunkCount = (count * MIB) / CHUNK_BYTES;
  let sent = 0;
  let there = 0;
  const pump = () => {
    for (; sent < chunkCount && sent - there < PACED_CHUNKS; sent += 1) {
      const from = (sent * CHUNK_BYTES) % MIB;
      socket.write(BLOCK.subarray(from, from + CHUNK_BYTES));
    }
  };
  socket.on('data', (bytes: Buffer) => {
    there += bytes.length;
    pump();
  });
  pump();
}

/** Kept until the end, so that hashing costs no time while the clock runs. */
function takeUp(socket: Socket, length: number, rest: Buffer, isPaced: boolean): void {
  const kept: Buffer[] = [];
  let taken = 0;
  const take = (bytes: Buffer) => {
    kept.push(bytes);
    const chunks = Math.floor((taken + bytes.length) / CHUNK_BYTES) - Math.floor(taken / CHUNK_BYTES);
    if (isPaced && chunks > 0) socket.write('+'.repeat(chunks));
    taken += bytes.length;
    if (taken < length) return;
    socket.write('K');
    setImmediate(() => {
      const hash = createHash('sha256');
      for (const part of kept.splice(0)) hash.update(part);
      socket.write(hash.digest());
    });
  };
  socket.on('data', take);
  if (rest.length > 0) take(rest);
}
