import { utf8Encode } from '../bytes/bytes.ts';
import { fail } from '../errors.ts';

/**
 * The Windows code pages a console can use and this package can read and write, by identifier. Microsoft, "Code Page
 * Identifiers". 65001 is UTF-8; note that an interactive cmd.exe under 65001 cannot read a command line that is not
 * ASCII, so the machine's ANSI or OEM page is the better choice there.
 */
export const CODE_PAGES: readonly number[] = [
  65001, 437, 850, 852, 855, 857, 858, 866, 874, 932, 936, 949, 950, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257,
  1258,
];

/** Whether a code page can be read and written. */
export function isCodePage(codePage: number): boolean {
  return codePage === UTF8 || DOS_PAGES.has(codePage) || PLATFORM_LABELS.has(codePage);
}

/**
 * Text to bytes of a code page.
 *
 * @throws misuse.bad-argument unknown-code-page, lone-surrogate, or not-in-code-page when a character has no place
 */
export function encodeText(codePage: number, text: string): Uint8Array {
  checkCodePage(codePage);
  if (/\p{Surrogate}/u.test(text)) fail('misuse.bad-argument', { argument: 'text', reason: 'lone-surrogate' });
  if (codePage === UTF8) return utf8Encode(text);
  const table = encodingTable(codePage);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.charCodeAt(0);
    const unit = code < 0x80 ? code : table.get(character);
    if (unit === undefined) fail('misuse.bad-argument', { argument: 'text', reason: 'not-in-code-page' });
    if (unit > 0xff) bytes.push(unit >> 8);
    bytes.push(unit & 0xff);
  }
  return Uint8Array.from(bytes);
}

/**
 * Bytes of a code page to text, in pieces: a character split between two pieces comes out whole. What is not a
 * character becomes U+FFFD; nothing is ever refused.
 */
export class TextReader {
  readonly #decoder: InstanceType<typeof TextDecoder> | null;
  readonly #upperHalf: string;

  /** @throws misuse.bad-argument unknown-code-page */
  constructor(codePage: number) {
    checkCodePage(codePage);
    this.#upperHalf = DOS_PAGES.get(codePage) ?? '';
    this.#decoder = this.#upperHalf === '' ? new TextDecoder(platformLabel(codePage), { ignoreBOM: true }) : null;
  }

  /** The text these bytes complete. */
  decode(bytes: Uint8Array): string {
    if (this.#decoder !== null) return this.#decoder.decode(bytes, { stream: true });
    let text = '';
    for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : this.#upperHalf.charAt(byte - 0x80);
    return text;
  }

  /** What is left of a character that never became whole; the reader starts anew. */
  flush(): string {
    return this.#decoder === null ? '' : this.#decoder.decode();
  }
}

function checkCodePage(codePage: number): void {
  if (!isCodePage(codePage)) fail('misuse.bad-argument', { argument: 'codePage', reason: 'unknown-code-page' });
}

function platformLabel(codePage: number): string {
  return codePage === UTF8 ? 'utf-8' : (PLATFORM_LABELS.get(codePage) ?? '');
}

const encodingTables = new Map<number, ReadonlyMap<string, number>>();

/** Built on first use, because the two-byte pages take some milliseconds. */
function encodingTable(codePage: number): ReadonlyMap<string, number> {
  const known = encodingTables.get(codePage);
  if (known !== undefined) return known;
  const table = new Map<string, number>();
  const reader = new TextReader(codePage);
  const add = (unit: number, bytes: readonly number[]): void => {
    const text = reader.decode(Uint8Array.from(bytes)) + reader.flush();
    const character = [...text].length === 1 ? text : REPLACEMENT;
    if (character === REPLACEMENT || (character.codePointAt(0) ?? 0) < 0x80) return;
    if (!table.has(character) || (codePage === BIG5 && BIG5_LAST_WINS.has(character))) table.set(character, unit);
  };
  for (let byte = 0x80; byte <= 0xff; byte++) add(byte, [byte]);
  const [firstLead, skipped] = TWO_BYTE_LEADS.get(codePage) ?? [NO_LEAD, []];
  for (let lead = firstLead; lead <= 0xfe; lead++) {
    if (skipped.includes(lead)) continue;
    for (let trail = 0x40; trail <= 0xfe; trail++) add((lead << 8) | trail, [lead, trail]);
  }
  encodingTables.set(codePage, table);
  return table;
}

const UTF8 = 65001;
const BIG5 = 950;
const NO_LEAD = 0xff;
const REPLACEMENT = '\ufffd';

/**
 * Pages the Encoding Standard defines, under its labels; every platform's TextDecoder has them.
 *
 * QUIRK: Node 24 (ICU), `euc-kr`: knows KS X 1001 only, not the 8,822 syllables that page 949 adds; browsers know all.
 * Found by decoding 8c 63; such a syllable is then U+FFFD, or refused when written.
 */
const PLATFORM_LABELS: ReadonlyMap<number, string> = new Map([
  [866, 'ibm866'],
  [874, 'windows-874'],
  [932, 'shift_jis'],
  [936, 'gbk'],
  [949, 'euc-kr'],
  [950, 'big5'],
  ...[1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => [page, `windows-${page}`] as const),
]);

/**
 * First lead byte, and leads that only repeat characters which have a place elsewhere. Encoding Standard, sections
 * "Index Shift_JIS pointer" (the NEC selection) and "Index Big5 pointer" (the Hong Kong rows).
 */
const TWO_BYTE_LEADS: ReadonlyMap<number, readonly [number, readonly number[]]> = new Map([
  [932, [0x81, [0xed, 0xee]] as const],
  [936, [0x81, []] as const],
  [949, [0x81, []] as const],
  [950, [0xa1, []] as const],
]);

/** Encoding Standard, section "Index Big5 pointer": these six take their last place. */
const BIG5_LAST_WINS: ReadonlySet<string> = new Set(['\u2550', '\u255e', '\u2561', '\u256a', '\u5341', '\u5345']);

const CP850 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0';

/** Bytes 80 to FF of the MS-DOS pages, which the Encoding Standard leaves out. Unicode Consortium, VENDORS/MICSFT/PC. */
const DOS_PAGES: ReadonlyMap<number, string> = new Map([
  [
    437,
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  ],
  [850, CP850],
  [
    852,
    'ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u00ad˝˛ˇ˘§÷¸°¨˙űŘř■\u00a0',
  ],
  [
    855,
    'ђЂѓЃёЁєЄѕЅіІїЇјЈљЉњЊћЋќЌўЎџЏюЮъЪаАбБцЦдДеЕфФгГ«»░▒▓│┤хХиИ╣║╗╝йЙ┐└┴┬├─┼кК╚╔╩╦╠═╬¤лЛмМнНоОп┘┌█▄Пя▀ЯрРсСтТуУжЖвВьЬ№\u00adыЫзЗшШэЭщЩчЧ§■\u00a0',
  ],
  [
    857,
    'ÇüéâäàåçêëèïîıÄÅÉæÆôöòûùİÖÜø£ØŞşáíóúñÑĞğ¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ºªÊËÈ\ufffdÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµ\ufffd×ÚÛÙìÿ¯´\u00ad±\ufffd¾¶§÷¸°¨·¹³²■\u00a0',
  ],
  [858, CP850.replace('ı', '€')],
]);
