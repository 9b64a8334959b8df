import type { FileFacts, FunctionFact } from './facts.ts';
import { isTest } from './rooms.ts';
import type { Violation } from './violation.ts';

/** A file longer than this holds two ideas. */
export const MAX_FILE_LINES = 400;
/** A function longer than this cannot be read at once. */
export const MAX_FUNCTION_LINES = 80;
/** An exchange reads as one conversation, so its generator may be longer. */
export const MAX_GENERATOR_LINES = 120;
/** Markup is long and flat. */
export const MAX_JSX_LINES = 150;

/** Files and functions of shipped code stay short; tests may be as long as their cases. */
export function checkSizes(files: readonly FileFacts[]): Violation[] {
  return files
    .filter((file) => !isTest(file.path))
    .flatMap((file) => [
      ...(file.lineCount > MAX_FILE_LINES
        ? [breach(file.path, 0, `${file.lineCount} lines; at most ${MAX_FILE_LINES}`)]
        : []),
      ...file.functions.flatMap((fact) => {
        const limit = limitOf(fact);
        const message = `${fact.name} has ${fact.lineCount} lines; at most ${limit}`;
        return fact.lineCount > limit ? [breach(file.path, fact.line, message)] : [];
      }),
    ]);
}

function limitOf(fact: FunctionFact): number {
  if (fact.isGenerator) return MAX_GENERATOR_LINES;
  return fact.hasJsx ? MAX_JSX_LINES : MAX_FUNCTION_LINES;
}

function breach(file: string, line: number, message: string): Violation {
  return { rule: 'sizes', file, line, message };
}
