import { identify as askWho, Journal } from '@fairlead/protocol';
import { defaultPlatform } from '@fairlead/protocol/node';
import type { Request } from './arguments.ts';
import { writeLine } from './exec.ts';
import { roadFromHere, writeJournal } from './open-session.ts';
import { type Terminal, writeAll } from './terminal.ts';
import { trustFrom } from './trust.ts';

type IdentifyRequest = Extract<Request, { verb: 'identify' }>;

/** Asks what answers at the target, without signing in. */
export async function identify(request: IdentifyRequest, terminal: Terminal): Promise<number> {
  const giveUp = new AbortController();
  const stopListening = terminal.onInterrupt(() => giveUp.abort());
  const journal = new Journal(() => defaultPlatform.monotonicMs());
  if (request.journalFile !== null) writeJournal(journal, request.journalFile);
  // What is asked of strangers is not sealed, and a proxy that forwards is handed sealed messages only.
  const proxyForm = request.proxyForm === 'auto' ? 'tunnel' : request.proxyForm;
  const open = await roadFromHere({ ...request, proxyForm }, terminal);
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
    if (request.isJson) await writeLine(terminal, { type: 'identity', ...found });
    else {
      const lines = [
        `vendor    ${found.productVendor}`,
        `version   ${found.productVersion}`,
        `protocol  ${found.protocolVersion}`,
      ];
      await writeAll(terminal.stdout, `${lines.join('\n')}\n`);
    }
    return 0;
  } finally {
    stopListening();
  }
}
