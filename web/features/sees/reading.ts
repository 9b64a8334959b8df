/**
 * Who can read what on a road: on port 5985, where only the bodies of WinRM messages are sealed and the HTTP around them
 * travels in the open, and on port 5986, where TLS reaches from the tab to the server. One table for each, so that page,
 * dialog and tests cannot tell different stories.
 */

/** What crosses a road. */
export const FACTS = ['address', 'sizes', 'http', 'user', 'proof', 'password', 'commands', 'output'] as const;

/** One of them. */
export type Fact = (typeof FACTS)[number];

/** A stop of the road, or a stranger with a cable between two of them. */
export type Reader = 'you' | 'relay' | 'proxy' | 'server';

/** Stops in the order of the road. */
export const READERS: readonly Reader[] = ['you', 'relay', 'proxy', 'server'];

/** What carries the messages. */
export type Transport = 'https' | 'http';

/**
 * What a reader gets of a fact. `guess` is for the password alone: whoever has the NTLMv2 response, which is no
 * password, can try passwords against it offline.
 */
export type Reading = 'reads' | 'guess' | 'nothing';

const OPEN_TO_ALL: Readonly<Record<Transport, ReadonlySet<Fact>>> = {
  http: new Set<Fact>(['address', 'sizes', 'http', 'user', 'proof']),
  https: new Set<Fact>(['address', 'sizes']),
};

/** What one reader gets of one fact. */
export function reading(transport: Transport, reader: Reader, fact: Fact): Reading {
  if (reader === 'you') return 'reads';
  if (OPEN_TO_ALL[transport].has(fact)) return 'reads';
  if (reader === 'server') return fact === 'password' ? 'guess' : 'reads';
  return fact === 'password' && transport === 'http' ? 'guess' : 'nothing';
}
