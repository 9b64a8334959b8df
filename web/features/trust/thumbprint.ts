import { parseThumbprint } from '@fairlead/protocol';

/** What a pasted thumbprint says about the shown ones; null while nothing was pasted. */
export type Comparison = 'match' | 'mismatch' | 'malformed' | null;

/** Compares what was pasted, SHA-256 or SHA-1 with any separators, with a certificate's two thumbprints. */
export function compareThumbprint(
  pasted: string,
  shown: { readonly sha256: string; readonly sha1: string },
): Comparison {
  if (pasted.trim() === '') return null;
  try {
    const thumbprint = parseThumbprint(pasted);
    return thumbprint === (thumbprint.length === 64 ? shown.sha256 : shown.sha1) ? 'match' : 'mismatch';
  } catch {
    return 'malformed';
  }
}
