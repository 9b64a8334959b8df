/**
 * Programs that wait for a console the far end does not have: they hang until interrupted. A person is warned once per
 * session, with the form that works, and may run them anyway.
 */

/** Why a program would hang; each has a sentence of its own. */
type HangerKind = 'editor' | 'pager' | 'key-press' | 'console' | 'interpreter' | 'password' | 'asks';

/** A program that would hang and what to write instead. */
export interface Hanger {
  readonly program: string;
  readonly kind: HangerKind;
  /** A command line to imitate; shown as it is, never translated. */
  readonly instead: string;
}

interface Rule {
  readonly names: readonly string[];
  readonly kind: HangerKind;
  readonly instead: string;
  /** Whether these arguments make it wait. Absent: always. */
  readonly waits?: (args: readonly string[]) => boolean;
}

const isBare = (args: readonly string[]) => args.length === 0;
const has = (args: readonly string[], ...wanted: string[]) =>
  args.some((arg) => wanted.some((one) => arg.toLowerCase() === one || arg.toLowerCase().startsWith(`${one}:`)));

const RULES: readonly Rule[] = [
  { names: ['vim', 'vi', 'nvim', 'nano', 'edit', 'emacs', 'far', 'micro'], kind: 'editor', instead: 'type file.txt' },
  { names: ['more', 'less'], kind: 'pager', instead: 'type file.txt' },
  { names: ['pause'], kind: 'key-press', instead: 'rem pause' },
  { names: ['choice'], kind: 'key-press', instead: 'choice /t 1 /d y', waits: (args) => !has(args, '/t', '-t') },
  { names: ['timeout'], kind: 'key-press', instead: 'ping -n 6 127.0.0.1 >nul' },
  { names: ['diskpart'], kind: 'asks', instead: 'diskpart /s script.txt', waits: (args) => !has(args, '/s') },
  {
    names: ['python', 'python3', 'py', 'node', 'irb', 'ruby', 'lua', 'r'],
    kind: 'interpreter',
    instead: 'python -c "print(1)"',
    waits: (args) => args.every((arg) => /^-[iqu]+$/.test(arg)),
  },
  {
    names: ['powershell', 'pwsh'],
    kind: 'interpreter',
    instead: 'powershell -NoProfile -Command "Get-Process"',
    waits: (args) => !args.some((arg) => /^[-/](c|f|e|enc)/i.test(arg) || !/^[-/]/.test(arg)),
  },
  { names: ['ftp', 'telnet'], kind: 'console', instead: 'curl -O ftp://host/file' },
  { names: ['ssh', 'sftp', 'scp'], kind: 'password', instead: 'ssh -o BatchMode=yes user@host hostname' },
  { names: ['runas'], kind: 'password', instead: 'schtasks /run /tn NAME' },
  { names: ['sqlcmd'], kind: 'interpreter', instead: 'sqlcmd -Q "SELECT 1"', waits: (args) => !has(args, '-q', '-i') },
  { names: ['mysql', 'psql'], kind: 'interpreter', instead: 'mysql -e "SELECT 1"', waits: isBare },
  { names: ['netsh', 'wmic', 'nslookup'], kind: 'asks', instead: 'netsh interface show interface', waits: isBare },
  { names: ['date', 'time'], kind: 'asks', instead: 'date /t', waits: isBare },
  { names: ['top', 'htop'], kind: 'console', instead: 'tasklist' },
];

const BY_NAME = new Map(RULES.flatMap((rule) => rule.names.map((name) => [name, rule] as const)));

/** The first program of a command line that would hang, or null. */
export function findHanger(line: string): Hanger | null {
  for (const part of splitCommands(line)) {
    const words = splitWords(part);
    const name = programName(words[0] ?? '');
    const rule = BY_NAME.get(name);
    if (rule === undefined || part.includes('<')) continue;
    const args = words.slice(1).filter((word) => !/^[0-9]?>/.test(word));
    if (rule.waits === undefined || rule.waits(args))
      return { program: name, kind: rule.kind, instead: insteadOf(rule, name) };
  }
  return null;
}

/** The example names the program that was typed where the rule serves several. */
function insteadOf(rule: Rule, name: string): string {
  const first = rule.names[0] ?? '';
  return rule.instead.startsWith(`${first} `) ? name + rule.instead.slice(first.length) : rule.instead;
}

/** Parts between &, |, && and ||, outside quotes; parentheses and @ in front are dropped. */
function splitCommands(line: string): string[] {
  const parts: string[] = [];
  let part = '';
  let isQuoted = false;
  for (const char of line) {
    if (char === '"') isQuoted = !isQuoted;
    if (!isQuoted && (char === '&' || char === '|' || char === '\n')) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  parts.push(part);
  return parts.map((one) => one.replace(/^[\s@(]+/, ''));
}

function splitWords(part: string): string[] {
  return (part.match(/"[^"]*"?|[^\s"]+/g) ?? []).map((word) => word.replace(/^"|"$/g, ''));
}

function programName(word: string): string {
  const name = word.slice(Math.max(word.lastIndexOf('\\'), word.lastIndexOf('/')) + 1).toLowerCase();
  return name.replace(/\.(exe|com|cmd|bat)$/, '');
}
