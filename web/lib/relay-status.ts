import { demoPassword, type Status, signInProof } from '@fairlead/contract';
import { askRelay, parseStatus, STATUS_PATHS } from './status-api.ts';
import { forgetEverything, keepDemoPassword } from './vault.ts';

/** Where this tab stands with the relay that served it. */
export type RelayStanding =
  | { readonly at: 'checking' }
  /** The page was served over plain HTTP from another machine: no cryptography, so no product. */
  | { readonly at: 'insecure' }
  | { readonly at: 'unreachable' }
  | { readonly at: 'signed-out'; readonly version: string }
  | { readonly at: 'signed-in'; readonly status: Status };

/** How an attempt to sign in ended. A code counts once: `wrong` may also mean that it was used before. */
export type SignInResult = 'done' | 'wrong' | 'tooOften' | 'unreachable';

/** What is known before anything was asked; also what the export is drawn with. */
export const CHECKING: RelayStanding = { at: 'checking' };

let standing: RelayStanding = CHECKING;
const listeners = new Set<() => void>();

function stand(next: RelayStanding): void {
  standing = next;
  for (const listener of listeners) listener();
}

const settle = (status: Status | null): void => {
  if (status === null) stand({ at: 'unreachable' });
  else stand(status.signedIn ? { at: 'signed-in', status } : { at: 'signed-out', version: status.version });
};

/** Where the tab stands now. */
export function readStanding(): RelayStanding {
  return standing;
}

/** Calls back after each change until the returned function is called. */
export function watchStanding(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Asks the relay where we stand. Never throws: what goes wrong is a standing of its own. */
export async function refreshStanding(): Promise<void> {
  if (globalThis.crypto?.subtle === undefined) {
    stand({ at: 'insecure' });
    return;
  }
  const answer = await askRelay(STATUS_PATHS.status);
  settle(answer?.ok ? parseStatus(answer.value) : null);
}

/**
 * Signs in. The code stays in this tab: what is sent is its proof, and the demo's password, another value of the same
 * code, is kept here. Never throws.
 */
export async function signIn(code: string): Promise<SignInResult> {
  const answer = await askRelay(STATUS_PATHS.signIn, { proof: await signInProof(code) });
  if (answer?.status === 401) return 'wrong';
  if (answer?.status === 429) return 'tooOften';
  const status = answer?.ok ? parseStatus(answer.value) : null;
  if (!status?.signedIn) return 'unreachable';
  if (status.demo) await keepDemoPassword(await demoPassword(code));
  settle(status);
  return 'done';
}

/** Signs out and wipes every secret this browser keeps. */
export async function signOut(): Promise<void> {
  await forgetEverything();
  const answer = await askRelay(STATUS_PATHS.signOut, {});
  settle(answer?.ok ? parseStatus(answer.value) : null);
}
