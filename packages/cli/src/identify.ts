import { identify as askWho, Journal, type Stranger } from '@fairlead/protocol';
import { defaultPlatform } from '@fairlead/protocol/node';
import type { Request } from './arguments.ts';
import { roadFromHere, writeJournal } from './open-session.ts';
import { printable, type Terminal, writeAll, writeLine } from './terminal.ts';
import { trustFrom } from './trust.ts';

type IdentifyRequest = Extract<Request, { verb: 'identify' }>;

/** Asks what answers at the target, without signing in. */
export async function identify(request: IdentifyRequest, terminal: Terminal): Promise<number> {
  const giveUp = new AbortController();
  const stopListening = terminal.onInterrupt(() => giveUp.abort());
  const journal = new Journal(() => defaultPlatform.monotonicMs());
  if (request.journalFile !== null) writeJournal(journal, request.journalFile);
  const open = await roadFromHere(request, terminal);
  try {
    const found = await askWho({
      target: request.target,
      trust: trustFrom(request),
      allowLegacyTls: request.allowLegacyTls,
      journal,
      platform: defaultPlatform,
      signal: giveUp.signal,
      openRoad: (lane, onHop, signal) =>
        open(
          lane,
          (report) => {
            journal.record({ event: 'hop', lane, report });
            onHop(report);
          },
          signal,
        ),
    });
    if (request.isJson) await writeLine(terminal, jsonOf(found));
    else await writeAll(terminal.stdout, `${linesOf(found).map(printable).join('\n')}\n`);
    return 0;
  } finally {
    stopListening();
  }
}

function jsonOf({ offered, server, identity }: Stranger): Record<string, unknown> {
  return { type: 'identity', offered, server, ...identity };
}

function linesOf({ offered, server, identity }: Stranger): string[] {
  if (identity !== null) {
    return [
      `vendor    ${identity.productVendor}`,
      `version   ${identity.productVersion}`,
      `protocol  ${identity.protocolVersion}`,
    ];
  }
  return [
    `sign-ins  ${offered.join(', ')}`,
    `server    ${server === '' ? '(says no name)' : server}`,
    'version   not asked: over http nothing is said in the clear (https tells it without a sign-in)',
  ];
}
