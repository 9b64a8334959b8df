import { posix } from 'node:path';
import type { FileFacts } from './facts.ts';
import { DRIVER_FILES, isCore, isTest } from './rooms.ts';
import type { Violation } from './violation.ts';

/** Names that say nothing about what a file is for. */
const BANNED_NAME_PARTS = /^(manager|handler|helper|util|data|info|process|do)s?$/;
const CORE_GLOBALS = new Set(['Buffer', 'console', 'process', 'window', 'document', 'navigator', 'localStorage']);
const CORE_MEMBERS = new Set(['Date.now', 'Math.random', 'performance.now']);
const SKIPPING = /^(it|test|describe)\.(skip|only|todo|fixme|fails|skipIf|runIf)$/;
// Bracketed letters keep this file from breaking its own rules.
const SUPPRESSIONS = /(@ts-ignor[e]|@ts-expect-erro[r]|@ts-nochec[k]|biome-ignor[e]|eslint-disabl[e]|oxlint-disabl[e])/;
const UNFINISHED = /\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/;
const MACHINE_PATHS = /(^|[^\w.])(\/wor[k]\/|\/tmp\/f[l]\b|\/roo[t]\/|\/hom[e]\/[a-z])|\.\.\/share[d]\//;

/** Words and names that may not appear: waiting in pure files, globals in the core, loose types, banned file names. */
export function checkWords(files: readonly FileFacts[]): Violation[] {
  return files.flatMap((file) => [...checkPurity(file), ...checkGlobals(file), ...checkLooseness(file)]);
}

/** Checks every text file of the repository, whatever its language. */
export function checkTexts(texts: ReadonlyMap<string, string>): Violation[] {
  return [...texts].flatMap(([path, text]) => [...checkName(path), ...checkLines(path, text)]);
}

function checkPurity(file: FileFacts): Violation[] {
  if (!isCore(file.path) || isTest(file.path) || DRIVER_FILES.has(file.path) || file.path.endsWith('.d.ts')) return [];
  return file.waits.map(({ name, line }) =>
    breach('purity', file.path, line, `${name} in a pure file; drivers are listed in scripts/house/rooms.ts`),
  );
}

function checkGlobals(file: FileFacts): Violation[] {
  if (!isCore(file.path) || isTest(file.path)) return [];
  const names = file.names.filter(({ name }) => CORE_GLOBALS.has(name));
  const members = file.members.filter(({ name }) => CORE_MEMBERS.has(name));
  return [...names, ...members].map(({ name, line }) =>
    breach('globals', file.path, line, `${name} in the core: take it from Platform or from an argument`),
  );
}

function checkLooseness(file: FileFacts): Violation[] {
  const loose = file.looseTypes.map(({ name, line }) => breach('types', file.path, line, `${name} hides a mistake`));
  const skipped = file.members
    .filter(({ name }) => SKIPPING.test(name))
    .map(({ name, line }) => breach('tests', file.path, line, `${name}: every test runs`));
  return [...loose, ...skipped];
}

function checkName(path: string): Violation[] {
  if (!/\.(ts|tsx|js|mjs|py|sh)$/.test(path)) return [];
  const parts = posix
    .basename(path)
    .replace(/^_/, '')
    .split(/[.\-_]/);
  const banned = parts.find((part) => BANNED_NAME_PARTS.test(part));
  return banned === undefined ? [] : [breach('names', path, 0, `"${banned}" says nothing: name what the file is for`)];
}

function checkLines(path: string, text: string): Violation[] {
  const violations: Violation[] = [];
  const isCode = /\.(ts|tsx|js|mjs|css)$/.test(path);
  text.split('\n').forEach((line, index) => {
    const at = index + 1;
    if (MACHINE_PATHS.test(line)) violations.push(breach('paths', path, at, 'names a path of one machine'));
    if (!isCode) return;
    const suppression = SUPPRESSIONS.exec(line)?.[0];
    if (suppression !== undefined) violations.push(breach('lint', path, at, `${suppression}: mend the cause`));
    const unfinished = UNFINISHED.exec(line)?.[0];
    if (unfinished !== undefined) violations.push(breach('unfinished', path, at, `${unfinished}: do it or drop it`));
  });
  return violations;
}

function breach(rule: string, file: string, line: number, message: string): Violation {
  return { rule, file, line, message };
}
