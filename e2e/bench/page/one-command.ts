import { parseCredential, parseTarget, Session } from '@fairlead/protocol';
import { defaultPlatform, relayRoad } from '@fairlead/protocol/relay';
import type { OneCommand } from '../thread-run.ts';

/** A session for one command over the page's relay, as the product makes it; it works in a page and in a worker. */
export function makeSession(what: OneCommand): Session {
  const { target } = parseTarget(what.target);
  return new Session({
    target,
    policy: 'negotiate',
    credential: parseCredential(what.user, what.password),
    openRoad: relayRoad({
      origin: what.origin,
      ticket: async () => {
        const body = { target: { host: target.host, port: target.port }, route: { name: '', hops: [] } };
        const answer = await fetch(`${what.origin}/api/tickets`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
        });
        const { ticket }: { ticket: string } = await answer.json();
        return ticket;
      },
    }),
    platform: defaultPlatform,
    shell: { kind: 'command', command: what.command, codePage: 65001 },
  });
}
