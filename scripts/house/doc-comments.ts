import type { FileFacts } from './facts.ts';
import { isTest } from './rooms.ts';
import type { Violation } from './violation.ts';

/** Names the web framework dictates; their meaning is in its manual. */
const DICTATED = new Set([
  'metadata',
  'viewport',
  'dynamic',
  'dynamicParams',
  'generateStaticParams',
  'generateMetadata',
]);
/** Tools read the default export of these; there is nothing to say about it. */
const CONFIGURATION = /(^|\/)[\w.]+\.config\.ts$/;

/** Every exported name says what it is for. */
export function checkDocComments(files: readonly FileFacts[]): Violation[] {
  return files
    .filter((file) => !isTest(file.path) && !CONFIGURATION.test(file.path) && !file.path.endsWith('.d.ts'))
    .flatMap((file) =>
      file.exports
        .filter((fact) => !fact.isDocumented && !(file.path.startsWith('web/app/') && DICTATED.has(fact.name)))
        .map((fact) => ({
          rule: 'doc-comments',
          file: file.path,
          line: fact.line,
          message: `${fact.name} is exported without a doc comment`,
        })),
    );
}
