import type { Violation } from './violation.ts';

/** Microsoft's page "Proxy servers and WinRM" makes so many claims. */
const RULE_COUNT = 34;

const DOCUMENT = 'docs/proxy-rules.md';

/** A text in quotes right behind `it(`, `test(`, `describe(` or a table's `)(`. */
const TITLE = /(?:\b(?:it|test|describe)(?:\.\w+)*(?:<[^()]*>)?\(|\)\()\s*(['"`])((?:\\.|(?!\1).)*)\1/gs;

/**
 * Every rule of the seed has a row in the document, and its number in the title of a test, so that a rule cannot lose
 * its last test unseen.
 *
 * @param document null in a tree without one, which then has nothing to keep
 */
export function checkProxyRules(document: string | null, tests: ReadonlyMap<string, string>): Violation[] {
  if (document === null) return [];
  const shown = new Set<string>();
  for (const text of tests.values()) {
    for (const [, , title = ''] of text.matchAll(TITLE)) {
      for (const [name] of title.matchAll(/\bR\d+\b/g)) shown.add(name);
    }
  }
  const names = Array.from({ length: RULE_COUNT }, (_, index) => `R${index + 1}`);
  const problems = names.flatMap((name) => [
    ...(new RegExp(`^\\| ${name} `, 'm').test(document) ? [] : [`${name} has no row`]),
    ...(shown.has(name) ? [] : [`no title of a test carries ${name}`]),
  ]);
  return problems.map((message) => ({ rule: 'proxy-rules', file: DOCUMENT, line: 0, message }));
}
