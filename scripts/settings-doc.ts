/** Puts the relay's own list of settings into `docs/runbook.md`: `node scripts/settings-doc.ts`. A test finds it stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { printHelp } from '../relay/src/config.ts';

const RUNBOOK = new URL('../docs/runbook.md', import.meta.url);
const BLOCK = /```text\n[\s\S]*?\n```/;

/** The runbook with the settings as the relay prints them now. */
export function withSettings(runbook: string): string {
  const help = printHelp().split('\n');
  const settings = help.slice(help.indexOf('Settings are environment variables:') + 1);
  return runbook.replace(BLOCK, () => `\`\`\`text\n${settings.join('\n').trimEnd()}\n\`\`\``);
}

if (import.meta.main) writeFileSync(RUNBOOK, withSettings(readFileSync(RUNBOOK, 'utf8')));
