import { CLOSE_CODES, readRelayError } from '@fairlead/contract';
import type { ErrorCode, ErrorDetails } from '../errors.ts';
import { WinRmError } from '../errors.ts';

/** Why a road is lost whose link broke and that cannot be taken up again. */
export const LINK_BROKE = 'the connection broke';

/** What a closing code means when the relay had no time, or no reason, to say more. */
const LOST_REASONS: Readonly<Record<number, string>> = {
  [CLOSE_CODES.finished]: 'closed by the relay',
  [CLOSE_CODES.draining]: 'the relay is shutting down',
  [CLOSE_CODES.tooLarge]: 'a message was too large',
  [CLOSE_CODES.malformed]: 'the relay did not understand',
  [CLOSE_CODES.gone]: 'the relay holds no such connection',
  [CLOSE_CODES.silent]: 'the relay heard nothing for too long',
  [CLOSE_CODES.replaced]: 'the connection was taken up elsewhere',
  [CLOSE_CODES.fault]: 'the relay had a fault',
  [CLOSE_CODES.cut]: 'the far connection broke',
  1006: LINK_BROKE,
};

/** Closing codes of a relay that means it; any other comes from the way between, and the pipe is looked for again. */
export const FINAL_CODES: ReadonlySet<number> = new Set([
  CLOSE_CODES.finished,
  CLOSE_CODES.malformed,
  CLOSE_CODES.signInRequired,
  CLOSE_CODES.gone,
  CLOSE_CODES.replaced,
  CLOSE_CODES.cut,
]);

/** The error that a closing code stands for. */
export function closeError(code: number): WinRmError {
  if (code === CLOSE_CODES.signInRequired) return new WinRmError('relay.sign-in-required', {});
  return new WinRmError('relay.lost', { reason: LOST_REASONS[code] ?? `closed with ${code}` });
}

/** Errors are taken over only when their details have the shape their code promises. */
export function toError(message: unknown): WinRmError {
  const read = readRelayError(message);
  if (read === null) return new WinRmError('relay.lost', { reason: 'an unknown error' });
  const details: ErrorDetails[typeof read.code] = read.details;
  return new WinRmError<ErrorCode>(read.code, details);
}
