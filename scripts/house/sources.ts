import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bigger files are captures or lockfiles; nobody writes a rule's breach into them by hand. */
const MAX_TEXT_BYTES = 1 << 20;
const TEXT = /\.(ts|tsx|js|mjs|css|json|jsonc|md|yaml|yml|sh|py|conf|cnf|txt|html|svg)$|(^|\/)[^./]+$|^\.ci\//;

/** Every text file that is in the repository or about to be: tracked, or new and not ignored. */
export function readTree(root: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const path of listFiles(root)) {
    if (path === '' || path === 'pnpm-lock.yaml' || !TEXT.test(path) || texts.has(path)) continue;
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    if (stat?.isFile() !== true || stat.size > MAX_TEXT_BYTES) continue;
    texts.set(path, readFileSync(join(root, path), 'utf8'));
  }
  return texts;
}

/** Folders that are made, not written; only asked where git cannot tell. */
const MADE = /(^|\/)(node_modules|\.git|\.next|\.turbo|\.data|out|dist|coverage|results)$/;

function listFiles(root: string): string[] {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const git = spawnSync('git', words, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return git.status === 0 ? git.stdout.split('\0') : walk(root, '');
}

/** For a copy without its history, or a machine without git. */
function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (MADE.test(path)) return [];
    return entry.isDirectory() ? walk(root, path) : [path];
  });
}
