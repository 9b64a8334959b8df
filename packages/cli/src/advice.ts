import type { Advice, Journal } from '@fairlead/protocol';
import english from '../../../web/messages/en.json' with { type: 'json' };
import { formatMessage } from './message-format.ts';
import type { Terminal } from './terminal.ts';

/** Advice in the words of the English messages. */
export function adviceWords(advice: Advice): string {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(advice)) {
    values[name] = typeof value === 'number' ? value : plain(value) || 'none';
  }
  return formatMessage(english.advice[advice.code], values);
}

/** Prints advice on standard error as it comes; each piece comes once. */
export function tellAdvice(journal: Journal, terminal: Terminal): void {
  journal.watch(({ what }) => {
    if (what.event === 'advice') terminal.stderr.write(`fairlead: note: ${adviceWords(what.advice)}\n`);
  });
}

/** A proxy's words must not move the cursor. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a1-\u1fff\u2030-\u205e\u2070-\uffef]+/g, ' ').trim();
}
