import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bigger files are captures or lockfiles; nobody writes a rule's breach into them by hand. */
const MAX_TEXT_BYTES = 1 << 20;
const TEXT = /\.(ts|tsx|js|mjs|css|json|jsonc|md|yaml|yml|sh|py|conf|cnf|txt|html|svg)$|(^|\/)[^./]+$|^\.ci\//;

/** Every text file that is in the repository or about to be: tracked, or new and not ignored. */
export function readTree(root: string): Map<string, string> {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  const texts = new Map<string, string>();
  for (const path of list.toString('utf8').split('\0')) {
    if (path === '' || path === 'pnpm-lock.yaml' || !TEXT.test(path) || texts.has(path)) continue;
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    if (stat?.isFile() !== true || stat.size > MAX_TEXT_BYTES) continue;
    texts.set(path, readFileSync(join(root, path), 'utf8'));
  }
  return texts;
}
