import type { CLOSE_CODES, RelayError } from '@fairlead/contract';
import type { PipeEnd } from './lasting-pipe.ts';

/** Why a byte socket is closed: a name of its closing code. */
export type Cause = keyof typeof CLOSE_CODES;

/** Which closing code goes with an error that kept a road from being opened, where it is not `roadFailed`. */
export const CAUSES: Partial<Record<RelayError['code'], Cause>> = {
  'relay.sign-in-required': 'signInRequired',
  'relay.ticket-refused': 'ticketRefused',
  'relay.policy-denied': 'policyDenied',
  'relay.limit-reached': 'limitReached',
  'proxy.forward-refused': 'policyDenied',
};

/** Ways for a socket to end that end its pipe as well; any other leaves the pipe to be taken up again. */
export const PIPE_ENDS: Partial<Record<Cause, PipeEnd>> = {
  finished: 'finished',
  malformed: 'malformed',
  signInRequired: 'signInRequired',
  draining: 'draining',
};
