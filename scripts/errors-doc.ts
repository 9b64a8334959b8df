/** Writes `docs/errors.md` from the table of errors and the English sentences: `node scripts/errors-doc.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type MessagePart, parseMessage } from '../packages/cli/src/message-format.ts';
import { ERROR_TABLE, type ErrorCode, type Party, type Recovery } from '../packages/protocol/src/errors.ts';
import { errorText } from './house/error-texts.ts';

const PARTIES: Readonly<Record<Party, string>> = {
  user: 'the person at the keyboard',
  us: 'Fairlead (please report it)',
  network: 'the network between the parts',
  relay: 'whoever runs the relay',
  proxy: 'whoever runs the proxy',
  server: 'whoever runs the Windows host',
};
const ACTIONS: Readonly<Record<Recovery, string>> = {
  none: 'nothing to press',
  retry: 'try again',
  reconnect: 'open a new session',
  'new-credential': 'enter another user name or password',
  'change-route': 'choose another road',
  'review-trust': 'look at the certificate again',
  'sign-in': 'sign in to the relay',
  'ask-admin': 'copy the facts for an administrator',
};
const ROOM_TITLES: Readonly<Record<string, string>> = {
  relay: 'relay: between the tab and the first hop',
  http: 'http: the messages themselves',
  proxy: 'proxy: what stands on the road',
  tls: 'tls: encryption between the tab and the host',
  auth: 'auth: proving who you are',
  seal: 'seal: the encryption of messages',
  wsman: 'wsman: what the Windows host answers',
  shell: 'shell: the remote command',
  session: 'session: the whole of it',
  misuse: 'misuse: what was asked for cannot be done',
};

/** The document, from the parsed English messages. */
export function renderErrorDocument(english: unknown): string {
  const lines = [
    '# Errors',
    '',
    '<!-- Written by scripts/errors-doc.ts from packages/protocol/src/errors.ts and web/messages/en.json. -->',
    '',
    'Every failure has a stable code. The web app and the command line print the sentence, the advice and the code;',
    'scripts should compare the code. Words in ‹angles› are facts of the case.',
  ];
  let room = '';
  for (const code of Object.keys(ERROR_TABLE) as ErrorCode[]) {
    const prefix = code.slice(0, code.indexOf('.'));
    if (prefix !== room) lines.push('', `## ${ROOM_TITLES[prefix] ?? prefix}`);
    room = prefix;
    lines.push('', `### \`${code}\``, '');
    const text = errorText(english, code);
    const sentences = variants(text.message);
    if (sentences.length === 1) lines.push(`> ${sentences[0]?.text}`);
    for (const { when, text: sentence } of sentences) if (when !== '') lines.push(`- ${when}: ${sentence}`);
    lines.push('', ...variants(text.hint).map(({ when, text: hint }) => (when === '' ? hint : `- ${when}: ${hint}`)));
    const { party, recovery } = ERROR_TABLE[code];
    lines.push('', `Who can mend it: ${PARTIES[party]}. Offered: ${ACTIONS[recovery]}.`);
  }
  return `${lines.join('\n')}\n`;
}

/** One sentence per option of the pattern's first select; plurals show their general form. */
function variants(pattern: string): { when: string; text: string }[] {
  const parts = pattern === '' ? [] : parseMessage(pattern);
  const select = parts.find((part) => part.kind === 'choice' && part.by === 'select');
  if (select?.kind !== 'choice') return [{ when: '', text: show(parts, '') }];
  return [...select.options.keys()].map((option) => ({
    when: `${select.name} ${option === 'other' ? 'anything else' : `\`${option}\``}`,
    text: show(parts, option),
  }));
}

function show(parts: readonly MessagePart[], option: string): string {
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      if (part.kind === 'number') return '‹number›';
      if (part.kind === 'value') return `‹${part.name}›`;
      return show(part.options.get(option) ?? part.options.get('other') ?? [], option);
    })
    .join('')
    .trim();
}

if (import.meta.main) {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
  const target = fileURLToPath(new URL('../docs/errors.md', import.meta.url));
  writeFileSync(target, renderErrorDocument(JSON.parse(read('../web/messages/en.json'))));
  console.log(`wrote ${target}`);
}
