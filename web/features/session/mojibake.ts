/**
 * Notices text that was read in another code page than it was written in, and names the code page to try. One look per
 * piece of output; a person is told once.
 */

/** What went wrong. `undecodable`: bytes that are not UTF-8. `doubled`: UTF-8 read as a one-byte code page. */
export interface MojibakeHint {
  readonly kind: 'undecodable' | 'doubled';
  /** The code page to try. */
  readonly codePage: number;
}

const UTF8 = 65_001;
// What UTF-8's two- and three-byte sequences look like in 1252, 850 and 437; each pair is rare in real text.
const DOUBLED = /Ã[\u0080-\u00bf\u0192\u0152\u0153\u0160\u0161\u0178\u2018-\u2026]|â€[œ\u009d“”™¦]|├[ñ┤Ñ®¬╝ÂÉ£]|Ôé¼/g;

/** Judges a piece of output that was decoded with `codePage`; null when it looks right. */
export function findMojibake(text: string, codePage: number, language: string): MojibakeHint | null {
  if (codePage === UTF8) {
    return count(text, /\ufffd/g) >= 2 ? { kind: 'undecodable', codePage: consoleCodePage(language) } : null;
  }
  return count(text, DOUBLED) >= 2 ? { kind: 'doubled', codePage: UTF8 } : null;
}

/** The console code page Windows uses for a language (its OEM code page); 437 where nothing else is known. */
export function consoleCodePage(language: string): number {
  const tag = language.toLowerCase();
  if (tag.startsWith('zh')) return /^zh-(tw|hk|mo|hant)/.test(tag) ? 950 : 936;
  return OEM_BY_LANGUAGE[tag.split('-')[0] ?? ''] ?? 437;
}

const OEM_BY_LANGUAGE: Readonly<Record<string, number>> = {
  ja: 932,
  ko: 949,
  th: 874,
  ru: 866,
  uk: 866,
  bg: 866,
  de: 850,
  fr: 850,
  es: 850,
  pt: 850,
  it: 850,
  nl: 850,
  da: 850,
  sv: 850,
  nb: 850,
  fi: 850,
  pl: 852,
  cs: 852,
  hu: 852,
  sk: 852,
  sl: 852,
  hr: 852,
  ro: 852,
};

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0;
}
