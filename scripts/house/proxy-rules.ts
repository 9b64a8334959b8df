import type { Violation } from './violation.ts';

/** Microsoft's page "Proxy servers and WinRM" makes so many claims. */
const RULE_COUNT = 34;

const DOCUMENT = 'docs/proxy-rules.md';

/** A text in quotes right behind `it(`, `test(`, `describe(` or a table's `)(`. */
const TITLE = /(?:\b(?:it|test|describe)(?:\.\w+)*(?:<[^()]*>)?\(|\)\()\s*(['"`])((?:\\.|(?!\1).)*)\1/gs;

/** A file in the document, and what stands in parentheses behind it. */
const MENTION = /`([\w./-]+\.tsx?)`(?: \(([^)]*)\))?/g;

/** The whole lines that are comments: a title that only they have is no title. */
const COMMENT_LINE = /^\s*(?:\/\/|\/?\*).*$/gm;

/**
 * Every rule of the seed has a row in the document, and its number in the title of a test, so that a rule cannot lose
 * its last test unseen. Every file that the document names exists, and every title that it quotes behind a file stands
 * in that file.
 *
 * @param document null in a tree without one, which then has nothing to keep
 * @param code the text of every file of code, by its path
 */
export function checkProxyRules(
  document: string | null,
  tests: ReadonlyMap<string, string>,
  code: ReadonlyMap<string, string>,
): Violation[] {
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
  const breach = (message: string, line: number): Violation => ({ rule: 'proxy-rules', file: DOCUMENT, line, message });
  return [
    ...problems.map((message) => breach(message, 0)),
    ...document.split('\n').flatMap((row, index) => missingIn(row, code).map((message) => breach(message, index + 1))),
  ];
}

/** What a row names that is not there. */
function missingIn(row: string, code: ReadonlyMap<string, string>): string[] {
  if (!/^\| R\d+ /.test(row)) return [];
  return [...row.matchAll(MENTION)].flatMap(([, name = '', aside = '']) => {
    const text = code.get(pathOf(name));
    if (text === undefined) return [`there is no ${name}`];
    const lines = text.replace(COMMENT_LINE, '');
    const quoted = [...aside.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title.replace(/ ?…$/, ''));
    return quoted.filter((title) => !lines.includes(title)).map((title) => `${name} has no title with “${title}”`);
  });
}

/** The document's short paths, as it explains them, in full. */
function pathOf(name: string): string {
  if (name.startsWith('interop/')) return `e2e/${name}`;
  return /^(?:packages|relay|web|e2e|scripts)\//.test(name) ? name : `packages/protocol/src/${name}`;
}
