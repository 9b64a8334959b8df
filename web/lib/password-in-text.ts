/** How far before an `@` a password is looked for. */
const MAX_PASSWORD_CHARACTERS = 256;

/**
 * Whether a text seems to hold "user:password@". It sees what URLs and proxies' names would show, and more rather than
 * less; a password that stands alone somewhere in a script it cannot know.
 */
export function seemsToHoldPassword(text: string): boolean {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const line = /[^"'`@\r\n]*$/.exec(text.slice(Math.max(0, at - MAX_PASSWORD_CHARACTERS), at))?.[0] ?? '';
    const word = line.slice(line.search(/\S*$/));
    // In an address it may have blanks; elsewhere what has a blank in front is a mail address.
    const url = line.lastIndexOf('://');
    if (url >= 0 && line.includes(':', url + 3)) return true;
    if (word.includes(':') && !/^\W*mailto:[\w.+-]*$/i.test(word)) return true;
  }
  return false;
}
