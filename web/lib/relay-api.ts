import {
  API_PATHS,
  apiErrorSchema,
  proxyScriptReplySchema,
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
  const reply = ticketReplySchema.safeParse(await ask(API_PATHS.tickets, request, signal));
  return reply.success ? reply.data : unreachable();
}

/**
 * Has the relay fetch a PAC file. What comes is text; nobody runs it on the way.
 *
 * @throws relay.unreachable, relay.sign-in-required, relay.policy-denied, relay.limit-reached, pac.not-fetched
 */
export async function fetchProxyScript(url: string): Promise<string> {
  const reply = proxyScriptReplySchema.safeParse(await ask(API_PATHS.proxyScript, { url }));
  return reply.success ? reply.data.text : unreachable();
}

async function ask(path: string, request: unknown, signal?: AbortSignal): Promise<unknown> {
  const answer = await askRelay(path, request, signal);
  if (signal?.aborted) fail('session.cancelled', { at: 'relay' }, signal.reason);
  if (answer === null) return unreachable();
  if (answer.ok) return answer.value;
  const refusal = apiErrorSchema.safeParse(answer.value);
  const error = refusal.success ? readRelayError(refusal.data.error) : null;
  if (error) throw new WinRmError(error.code, error.details);
  return unreachable();
}

function unreachable(): never {
  fail('relay.unreachable', { url: globalThis.location?.origin ?? API_PATHS.tickets });
}
