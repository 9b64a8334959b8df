/** What a build says of itself: written beside the files by scripts/csp.ts. */
export interface Build {
  readonly version: string;
  /** SHA-256 in hex over the names and hashes of all files. */
  readonly hash: string;
  /** How many files that covers. */
  readonly files: number;
}

/** Reads `/build.json`; null in a development server or when it is malformed. Never throws. */
export async function readBuild(): Promise<Build | null> {
  try {
    const reply = await fetch('/build.json', { cache: 'no-store' });
    return reply.ok ? parseBuild(await reply.json()) : null;
  } catch {
    return null;
  }
}

/** Accepts a build's own words only in their exact shape. */
export function parseBuild(value: unknown): Build | null {
  if (typeof value !== 'object' || value === null) return null;
  const { version, hash, files } = value as Record<string, unknown>;
  if (typeof version !== 'string' || typeof hash !== 'string' || typeof files !== 'number') return null;
  return /^[0-9a-f]{64}$/u.test(hash) && version.length < 64 ? { version, hash, files } : null;
}
