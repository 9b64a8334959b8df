import { ERROR_TABLE } from '../../packages/protocol/src/errors.ts';
import type { Violation } from './violation.ts';

/** What a locale says about one code. */
export interface ErrorText {
  readonly message: string;
  readonly hint: string;
}

/** Everything the rule looks at, handed in so that a test can plant a gap. */
export interface ErrorSources {
  /** Locale file to its parsed content. */
  readonly locales: ReadonlyMap<string, unknown>;
  /** Test file to its text. */
  readonly tests: ReadonlyMap<string, string>;
  /** `docs/errors.md`, or null when it is missing. */
  readonly document: string | null;
  /** What `docs/errors.md` should be. */
  readonly expectedDocument: string;
}

/** Every code has a sentence and a hint in every language, a paragraph in the document and a test that names it. */
export function checkErrorTexts(
  sources: ErrorSources,
  codes: readonly string[] = Object.keys(ERROR_TABLE),
): Violation[] {
  const violations: Violation[] = [];
  const add = (file: string, message: string): void => {
    violations.push({ rule: 'errors', file, line: 0, message });
  };
  const tests = [...sources.tests.values()].join('\n');
  for (const code of codes) {
    for (const [file, messages] of sources.locales) {
      const text = errorText(messages, code);
      if (text.message === '') add(file, `errors.${code}.message is missing`);
      if (text.hint === '') add(file, `errors.${code}.hint is missing`);
    }
    if (!new RegExp(`['"\`\\s]${code.replace('.', '\\.')}\\b(?!-)`).test(tests)) {
      add('packages/protocol/src/errors.ts', `no test names ${code}`);
    }
    if (sources.document?.includes(`### \`${code}\``) !== true) add('docs/errors.md', `${code} has no paragraph`);
  }
  if (sources.document !== sources.expectedDocument) add('docs/errors.md', 'is stale: run node scripts/errors-doc.ts');
  return violations;
}

/** The sentence and hint of a code in a locale; "" for what is missing. */
export function errorText(messages: unknown, code: string): ErrorText {
  const entry = ['errors', ...code.split('.')].reduce<unknown>(childOf, messages);
  return { message: textOf(childOf(entry, 'message')), hint: textOf(childOf(entry, 'hint')) };
}

function childOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}
