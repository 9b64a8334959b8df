import manifest from '../package.json' with { type: 'json' };

/**
 * A command line that runs `words` with pnpm in the path, in the version that package.json pins. The task runner asks
 * pnpm about the workspace; nothing else needs it, so everything else is started directly and gets its signals directly.
 */
export function withPnpm(...words: string[]): [string, ...string[]] {
  return ['npx', '-y', manifest.packageManager, '-s', 'exec', ...words];
}
