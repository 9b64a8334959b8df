/**
 * After `next build`: hashes what the export holds.
 *
 * `out/csp.json` maps each page's file to the hashes of its inline scripts, for the `script-src` of the header that the
 * relay sends with it; nothing inline is ever allowed by word. `out/build.json` names the build by one hash over all
 * files, so that anyone can tell whether a server hands out the published client.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const web = path.join(import.meta.dirname, '..');
const out = path.join(web, 'out');
const OWN = new Set(['csp.json', 'build.json']);

/** `sha256-…` of every inline script of a page, each once, in order. */
export function inlineScriptHashes(html: string): string[] {
  const hashes = new Set<string>();
  for (const [, attributes = '', body = ''] of html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/gu)) {
    if (/\bsrc=/u.test(attributes) || body === '') continue;
    hashes.add(`sha256-${createHash('sha256').update(body).digest('base64')}`);
  }
  return [...hashes];
}

/** Things a page of ours must not hold, because the policy would block them. */
export function forbiddenMarkup(html: string): string[] {
  const bare = html.replaceAll(/<script\b[^>]*>[\s\S]*?<\/script>/gu, '');
  return [
    ...(/<style\b/u.test(bare) ? ['a <style> element'] : []),
    ...(/<[^>]*\sstyle="/u.test(bare) ? ['a style attribute'] : []),
    ...(/<[^>]*\son[a-z]+="/u.test(bare) ? ['an inline event handler'] : []),
  ];
}

/** The page's name in csp.json: its path in the export, as `/sees/index.html`. */
export function pagePath(file: string): string {
  return `/${file}`;
}

function main(): void {
  const files = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(out, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((file) => !OWN.has(file))
    .sort();
  const policy: Record<string, string[]> = {};
  const total = createHash('sha256');
  for (const file of files) {
    const bytes = readFileSync(path.join(out, file));
    total.update(`${file}\0${createHash('sha256').update(bytes).digest('hex')}\n`);
    if (!file.endsWith('.html')) continue;
    const html = bytes.toString('utf8');
    const forbidden = forbiddenMarkup(html);
    if (forbidden.length > 0) throw new Error(`${file} holds ${forbidden.join(', ')}, which the policy blocks`);
    policy[pagePath(file)] = inlineScriptHashes(html);
  }
  const { version } = JSON.parse(readFileSync(path.join(web, 'package.json'), 'utf8')) as { version: string };
  writeFileSync(path.join(out, 'csp.json'), `${JSON.stringify(policy, null, 2)}\n`);
  const build = { version, hash: total.digest('hex'), files: files.length };
  writeFileSync(path.join(out, 'build.json'), `${JSON.stringify(build, null, 2)}\n`);
  console.log(`${Object.keys(policy).length} pages hashed, build ${build.hash.slice(0, 10)} of ${build.files} files`);
}

if (process.argv[1] === import.meta.filename) main();
