/** Hands a text to the browser as a download; the name is made of letters a file may have. */
export function saveText(text: string, name: string, kind: 'txt' | 'json' = 'txt'): void {
  const safe =
    name
      .replace(/[^\p{L}\p{N}._-]+/gu, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 60) || 'output';
  const url = URL.createObjectURL(
    new Blob([text], { type: kind === 'json' ? 'application/json' : 'text/plain;charset=utf-8' }),
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = `${safe}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
