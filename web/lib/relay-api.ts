import {
  API_PATHS,
  apiErrorSchema,
  readRelayError,
  type TicketReply,
  type TicketRequest,
  ticketReplySchema,
} from '@fairlead/contract';
import { fail, WinRmError } from '@fairlead/protocol';
import { askRelay } from './status-api.ts';

/**
 * Asks for a ticket: one connection, one target, one road.
 *
 * @throws relay.unreachable, relay.sign-in-required, relay.policy-denied, relay.limit-reached, misuse.bad-argument;
 *   session.cancelled when the signal is aborted
 */
export async function requestTicket(request: TicketRequest, signal?: AbortSignal): Promise<TicketReply> {
  const url = globalThis.location?.origin ?? API_PATHS.tickets;
  const answer = await askRelay(API_PATHS.tickets, request, signal);
  if (signal?.aborted) fail('session.cancelled', { at: 'relay' }, signal.reason);
  if (answer === null) fail('relay.unreachable', { url });
  if (!answer.ok) {
    const refusal = apiErrorSchema.safeParse(answer.value);
    const error = refusal.success ? readRelayError(refusal.data.error) : null;
    if (error) throw new WinRmError(error.code, error.details);
    fail('relay.unreachable', { url });
  }
  const reply = ticketReplySchema.safeParse(answer.value);
  if (!reply.success) fail('relay.unreachable', { url });
  return reply.data;
}
