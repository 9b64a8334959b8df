import { posix } from 'node:path';
import type { FileFacts, ImportFact } from './facts.ts';
import { isTest, MECHANISM_CHOOSER, type Room, roomOf } from './rooms.ts';
import type { Violation } from './violation.ts';

const CORE_INDEX = 'packages/protocol/src/index.ts';
/** What any test may import. */
const TEST_TOOLS = ['npm:vitest', 'npm:fast-check'];
/** Rooms that play the server's side of the same wire, and so may open private codecs. */
const OPENS_PRIVATE_FILES = ['testbed', 'testing'];

/** A room imports only what its row names, and never a private file of another folder. */
export function checkImports(files: readonly FileFacts[]): Violation[] {
  return files.flatMap((file) => {
    const room = roomOf(file.path);
    if (room === null) return [breach(file.path, 0, 'stands in no room: see scripts/house/rooms.ts')];
    return file.imports.flatMap((fact) => checkImport(file.path, room, fact));
  });
}

function checkImport(path: string, room: Room, fact: ImportFact): Violation[] {
  const target = targetOf(path, fact.specifier);
  const violations: Violation[] = [];
  const targetFile = target.file;
  if (
    targetFile !== null &&
    isPrivate(targetFile) &&
    !isInside(path, targetFile) &&
    !OPENS_PRIVATE_FILES.includes(room.name)
  ) {
    violations.push(breach(path, fact.line, `${fact.specifier} is private to its folder`));
  }
  if (targetFile === 'packages/protocol/src/auth/select.ts' && !mayChooseMechanism(path)) {
    violations.push(breach(path, fact.line, `only ${MECHANISM_CHOOSER} chooses a mechanism`));
  }
  const isAllowed =
    path === CORE_INDEX ||
    target.room === room.name ||
    allowedIn(path, room, fact).some((name) => target.room === name || target.room.startsWith(`${name}/`));
  // "protocol" is a door of its own: naming it does not open protocol/road and the others.
  const isDoor = target.room.startsWith('protocol/');
  const isNamed = allowedIn(path, room, fact).includes(target.room);
  if (!isAllowed || (isDoor && !isNamed)) {
    violations.push(breach(path, fact.line, `${room.name} may not import ${target.room} (${fact.specifier})`));
  }
  return violations;
}

function allowedIn(path: string, room: Room, fact: ImportFact): string[] {
  return [
    ...room.mayImport,
    ...(fact.isTypeOnly ? (room.mayImportTypes ?? []) : []),
    ...(isTest(path) ? [...(room.testsMayImport ?? []), ...TEST_TOOLS] : []),
  ];
}

/** Where an import leads: the name the table uses, and the file when it is one of ours by path. */
function targetOf(from: string, specifier: string): { room: string; file: string | null } {
  const ours = /^@fairlead\/(.+)$/.exec(specifier)?.[1];
  if (ours !== undefined) return { room: ours, file: null };
  if (specifier.startsWith('node:')) return { room: 'node', file: null };
  const isAlias = specifier.startsWith('@/');
  if (!isAlias && !specifier.startsWith('.')) return { room: `npm:${specifier}`, file: null };
  const file = isAlias ? `web/${specifier.slice(2)}` : posix.join(posix.dirname(from), specifier);
  if (file === CORE_INDEX) return { room: 'protocol', file };
  return { room: roomOf(file)?.name ?? 'no room', file };
}

function mayChooseMechanism(path: string): boolean {
  return (
    path === MECHANISM_CHOOSER || isTest(path) || path.startsWith('packages/protocol/src/auth/') || path === CORE_INDEX
  );
}

function isPrivate(file: string): boolean {
  return posix.basename(file).startsWith('_');
}

function isInside(path: string, target: string): boolean {
  return path.startsWith(`${posix.dirname(target)}/`);
}

function breach(file: string, line: number, message: string): Violation {
  return { rule: 'imports', file, line, message };
}
