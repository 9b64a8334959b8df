/** A set of UTF-16 units: ranges, perhaps turned round. */
export interface UnitSet {
  readonly ranges: readonly (readonly [number, number])[];
  readonly isNegated: boolean;
}

/** One step of a compiled regular expression. */
export type Instruction =
  | { readonly op: 'unit'; readonly unit: number }
  | { readonly op: 'any' }
  | { readonly op: 'set'; readonly set: UnitSet }
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'clear'; readonly from: number; readonly to: number }
  | { readonly op: 'mark'; readonly register: number }
  | { readonly op: 'advanced'; readonly register: number }
  | { readonly op: 'start' | 'end' | 'word' | 'not-word' | 'match' }
  | { readonly op: 'back'; readonly group: number }
  | { op: 'look'; readonly isNegated: boolean; after: number };

/** A compiled regular expression. */
export interface RegexProgram {
  readonly code: readonly Instruction[];
  /** Groups with the whole as number 0. */
  readonly groupCount: number;
  readonly groupNames: ReadonlyMap<string, number>;
  readonly registerCount: number;
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

/** \d */
export const DIGITS: readonly (readonly [number, number])[] = [[48, 57]];
/** \w */
export const WORD: readonly (readonly [number, number])[] = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
/** \s: white space and line ends. ECMA-262, section 22.2.2.9 */
export const SPACE: readonly (readonly [number, number])[] = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

/** Whether a unit lies in one of some ranges. */
export function isIn(unit: number, ranges: readonly (readonly [number, number])[]): boolean {
  return ranges.some(([low, high]) => unit >= low && unit <= high);
}

/** What a unit is compared as without regard to case. ECMA-262, section 22.2.2.7.3 */
export function canonical(unit: number): number {
  if (unit < 128) return unit >= 97 && unit <= 122 ? unit - 32 : unit;
  const upper = String.fromCharCode(unit).toUpperCase();
  if (upper.length !== 1) return unit;
  const code = upper.charCodeAt(0);
  return code < 128 ? unit : code;
}
