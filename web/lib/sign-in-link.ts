/**
 * The code in a link's fragment (`#code=…`), or null. A fragment never reaches a server; the caller still clears it at
 * once, so that it does not stay in the address bar, the history or a screenshot.
 */
export function codeFromFragment(fragment: string): string | null {
  const code = new URLSearchParams(fragment.replace(/^#/u, '')).get('code');
  return code === null || code.trim() === '' || code.length > MAX_TYPED_CODE ? null : code.trim();
}

/** Longest text taken for a code; a code has 12 characters, people add blanks and hyphens. */
export const MAX_TYPED_CODE = 64;

/** A code as it is typed, in groups of four, so that one can compare it with the terminal. */
export function groupTypedCode(typed: string): string {
  const letters = typed
    .toUpperCase()
    .replace(/[^0-9A-Z]/gu, '')
    .slice(0, 12);
  return (letters.match(/.{1,4}/gu) ?? []).join('-');
}
