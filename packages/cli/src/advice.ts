import type { Advice, Journal } from '@fairlead/protocol';
import english from '../../../web/messages/en.json' with { type: 'json' };
import { formatMessage } from './message-format.ts';
import { printable, type Terminal, tell } from './terminal.ts';

/** Advice in the words of the English messages. */
export function adviceWords(advice: Advice): string {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(advice)) {
    values[name] = typeof value === 'number' ? value : printable(value).trim() || 'none';
  }
  return formatMessage(english.advice[advice.code], values);
}

/** Prints advice on standard error as it comes; each piece comes once. */
export function tellAdvice(journal: Journal, terminal: Terminal): void {
  journal.watch(({ what }) => {
    if (what.event === 'advice') void tell(terminal, `note: ${adviceWords(what.advice)}`).catch(() => undefined);
  });
}
