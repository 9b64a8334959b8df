/** Longest prompt shown whole; a longer one keeps its drive and its last folders. */
export const SHOWN_PROMPT_CHARS = 40;

/** A prompt short enough to leave room to type: `C:\…\deep\folder>`. */
export function shortPrompt(prompt: string): string {
  if (prompt.length <= SHOWN_PROMPT_CHARS) return prompt;
  const mark = prompt.includes('\\') ? '\\' : '/';
  const parts = prompt.split(mark);
  const first = parts.shift() ?? '';
  let end = '';
  while (parts.length > 0) {
    const next = `${mark}${parts.pop()}${end}`;
    if (end !== '' && first.length + 2 + next.length > SHOWN_PROMPT_CHARS) break;
    end = next;
  }
  const short = `${first}${mark}…${end}`;
  return short.length <= SHOWN_PROMPT_CHARS ? short : `…${prompt.slice(1 - SHOWN_PROMPT_CHARS)}`;
}
