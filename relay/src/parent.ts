import * as z from 'zod';
import type { Relay } from './index.ts';

/**
 * What a start script says: a code was printed, this is the SHA-256 of its proof (the code itself stays there), or the
 * demo beside the relay has ended by itself.
 * The relay says `{type:'ready', port}` once it listens and `{type:'code-used'}` when somebody has signed in.
 */
const parentMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('accept-proof'), proofHash: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.object({ type: z.literal('demo-ended') }),
]);

/** Whether a start script started this process with a channel to it. */
export function hasParent(): boolean {
  return process.send !== undefined;
}

/** Says that somebody has signed in, so that the start script can print another code. */
export function tellCodeUsed(): void {
  process.send?.({ type: 'code-used' });
}

/** Obeys the start script, and stops when it is gone. */
export function obeyParent(relay: Relay, stop: () => void): void {
  process.on('message', (message) => {
    const read = parentMessageSchema.safeParse(message);
    if (!read.success) return;
    if (read.data.type === 'demo-ended') relay.forgetDemo();
    else relay.expectProof(read.data.proofHash);
  });
  process.on('disconnect', stop);
  process.send?.({ type: 'ready', port: relay.port });
}
