/** Looks at what is about to be pasted: several lines run one after the other, so a person sees them first. */

/** What to do with a paste. `text` has LF line ends, no control characters and no line end at its end. */
export type PasteVerdict =
  | { readonly kind: 'clean'; readonly text: string }
  | {
      readonly kind: 'ask';
      readonly text: string;
      readonly lineCount: number;
      /** The first lines, each cut to a width that fits a dialog. */
      readonly preview: readonly string[];
      readonly hiddenLineCount: number;
      readonly removedControlCount: number;
    }
  | { readonly kind: 'too-long'; readonly limit: number };

/** No command line comes near; a paste past it is a file in the wrong window. */
export const MAX_PASTE_CHARS = 256 * 1024;

const PREVIEW_LINES = 8;
const PREVIEW_CHARS = 120;
// C0 without TAB and LF, DEL, C1, and the marks that reorder text so that it reads as something else.
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Judges a paste.
 * @param isGuardOn false when the person has switched the question off; control characters are removed all the same
 */
export function inspectPaste(raw: string, isGuardOn: boolean): PasteVerdict {
  if (raw.length > MAX_PASTE_CHARS) return { kind: 'too-long', limit: MAX_PASTE_CHARS };
  const unified = raw.replace(/\r\n?/g, '\n');
  const text = unified.replace(CONTROLS, '').replace(/\n+$/, '');
  const removedControlCount = unified.match(CONTROLS)?.length ?? 0;
  const lines = text.split('\n');
  if (!isGuardOn || (lines.length === 1 && removedControlCount === 0)) return { kind: 'clean', text };
  return {
    kind: 'ask',
    text,
    lineCount: lines.length,
    preview: lines.slice(0, PREVIEW_LINES).map(cut),
    hiddenLineCount: Math.max(0, lines.length - PREVIEW_LINES),
    removedControlCount,
  };
}

function cut(line: string): string {
  return line.length > PREVIEW_CHARS ? `${line.slice(0, PREVIEW_CHARS - 1)}…` : line;
}
