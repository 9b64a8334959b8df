/**
 * The house rules as a program: `npm run -s house`. It reads the whole tree, prints every breach as `file:line rule:
 * message` and fails when there is one. The floor plan it keeps is `scripts/house/rooms.ts`.
 */
import { fileURLToPath } from 'node:url';
import { renderErrorDocument } from './errors-doc.ts';
import { checkDocComments } from './house/doc-comments.ts';
import { checkErrorTexts } from './house/error-texts.ts';
import { gatherFacts } from './house/facts.ts';
import { checkImports } from './house/imports.ts';
import { checkProxyRules } from './house/proxy-rules.ts';
import { checkSizes } from './house/sizes.ts';
import { readTree } from './house/sources.ts';
import { printViolation, type Violation } from './house/violation.ts';
import { checkTexts, checkWords } from './house/words.ts';

/** Applies every rule to a tree of texts. */
export function checkHouse(texts: ReadonlyMap<string, string>): Violation[] {
  const code = new Map([...texts].filter(([path]) => /\.tsx?$/.test(path)));
  const facts = gatherFacts(code);
  const locales = new Map<string, unknown>();
  for (const [path, text] of texts) if (/^web\/messages\/[\w-]+\.json$/.test(path)) locales.set(path, JSON.parse(text));
  const tests = new Map([...code].filter(([path]) => /\.(test|spec)\.ts$/.test(path) && !path.startsWith('scripts/')));
  const english = locales.get('web/messages/en.json');
  return [
    ...checkTexts(texts),
    ...checkImports(facts),
    ...checkWords(facts),
    ...checkSizes(facts),
    ...checkDocComments(facts),
    ...checkErrorTexts({
      locales,
      tests,
      document: texts.get('docs/errors.md') ?? null,
      expectedDocument: english === undefined ? '' : renderErrorDocument(english),
    }),
    ...checkProxyRules(texts.get('docs/proxy-rules.md') ?? null, tests, code),
  ];
}

if (import.meta.main) {
  const violations = checkHouse(readTree(fileURLToPath(new URL('..', import.meta.url))));
  for (const violation of violations) console.log(printViolation(violation));
  console.log(violations.length === 0 ? 'The house is in order.' : `${violations.length} breaches of the house rules.`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
