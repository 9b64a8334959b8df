import { createHash } from 'node:crypto';

/** 2^20 bytes. */
export const MIB = 1 << 20;

/** What is sent at once. */
export const CHUNK_BYTES = 64 * 1024;

/**
 * How many chunks are on their way at the most where the two ends pace themselves: so few that no pipe between them ever
 * holds anything back for a limit of its own.
 */
export const PACED_CHUNKS = 3;

/** One MiB that does not repeat inside and is the same in every process. */
export function blockOfBytes(): Buffer {
  const block = Buffer.alloc(MIB);
  let state = 0x2545f491;
  for (let at = 0; at < MIB; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    block.writeUInt32LE(state, at);
  }
  return block;
}

/** SHA-256 of so many blocks, one after the other. */
export function hashOfBlocks(count: number): string {
  const block = blockOfBytes();
  const hash = createHash('sha256');
  for (let at = 0; at < count; at += 1) hash.update(block);
  return hash.digest('hex');
}
