import type { PaintedTheme, Preferences } from '@/lib/preferences.ts';

/** The sixteen colours, in the order of the standard: black, red, green, yellow, blue, magenta, cyan, white, then bright. */
export interface Palette {
  readonly ground: string;
  readonly ink: string;
  readonly colours: readonly string[];
}

/** The palettes there are. Raw colours are allowed here: they are the terminal's, not the interface's. */
export const PALETTE_TABLE: Readonly<
  Record<Exclude<Preferences['palette'], 'auto'> | 'day' | 'night' | 'contrast', Palette>
> = {
  // The two that go with the themes: their grounds are the token `sunken`, so that output and interface are one sheet.
  day: {
    ground: '#eff2f5',
    ink: '#192029',
    colours: [
      ...['#192029', '#b3261e', '#276c2c', '#7a5200', '#0062a3', '#8e2a9c', '#00667a', '#5a6270'],
      ...['#535b68', '#c22f26', '#2c7431', '#7f5700', '#0069ae', '#9a30a8', '#006d82', '#192029'],
    ],
  },
  night: {
    ground: '#06090f',
    ink: '#e8ebef',
    colours: [
      ...['#06090f', '#f2818a', '#8fcf8a', '#e3c276', '#6fb3f2', '#d49be8', '#62c4d0', '#d3d8e0'],
      ...['#97a1b1', '#ff9ea5', '#aee3a8', '#f2d898', '#97caf9', '#e5b8f3', '#8adbe5', '#ffffff'],
    ],
  },
  campbell: {
    ground: '#0c0c0c',
    ink: '#cccccc',
    colours: [
      ...['#0c0c0c', '#e7485a', '#13a10e', '#c19c00', '#4a7dff', '#b85fc6', '#3a96dd', '#cccccc'],
      ...['#8a8a8a', '#e77a84', '#16c60c', '#f9f1a5', '#6f96ff', '#d074c9', '#61d6d6', '#f2f2f2'],
    ],
  },
  'one-half-dark': {
    ground: '#282c34',
    ink: '#dcdfe4',
    colours: [
      ...['#282c34', '#ec8a92', '#98c379', '#e5c07b', '#61afef', '#cf8ae4', '#56b6c2', '#dcdfe4'],
      ...['#a0a8b8', '#ec8a92', '#98c379', '#e5c07b', '#61afef', '#cf8ae4', '#56b6c2', '#ffffff'],
    ],
  },
  'one-half-light': {
    ground: '#fafafa',
    ink: '#383a42',
    colours: [
      ...['#383a42', '#c8352b', '#33782f', '#8a6000', '#0070ad', '#a626a4', '#0a7186', '#62646c'],
      ...['#4f525e', '#c8352b', '#33782f', '#8a6000', '#0070ad', '#a626a4', '#0a7186', '#383a42'],
    ],
  },
  // Told apart by lightness as well as by hue, from Okabe and Ito's set, so that no two lean on red against green.
  'colour-safe': {
    ground: '#11151c',
    ink: '#e6e9ef',
    colours: [
      ...['#11151c', '#e58b4a', '#2bb28b', '#f0e442', '#56a0e9', '#d58ab8', '#7fc8f5', '#d6dae2'],
      ...['#9aa3b2', '#f5a56b', '#55cfab', '#f7ef8a', '#83bdf3', '#e8abd0', '#a9dbfa', '#ffffff'],
    ],
  },
  contrast: {
    ground: '#000000',
    ink: '#ffffff',
    colours: [
      ...['#000000', '#ff9c8a', '#6ff29b', '#ffe46b', '#9cc7ff', '#ffb0ff', '#7df2ff', '#ffffff'],
      ...['#c8c8c8', '#ffb7a8', '#9bffbc', '#fff0a3', '#bedaff', '#ffc9ff', '#adf7ff', '#ffffff'],
    ],
  },
};

/** The palette to paint: the one that was chosen, or the one that goes with the theme. High contrast keeps its own. */
export function paletteFor(chosen: Preferences['palette'], theme: PaintedTheme): Palette {
  if (theme === 'contrast') return PALETTE_TABLE.contrast;
  if (chosen !== 'auto') return PALETTE_TABLE[chosen];
  return theme === 'light' ? PALETTE_TABLE.day : PALETTE_TABLE.night;
}

/** Contrast that text is brought up to whatever colour a program asks for. WCAG 2.2, 1.4.3 and 1.4.6. */
export function contrastFor(theme: PaintedTheme): number {
  return theme === 'contrast' ? 7 : 4.5;
}

/** Contrast ratio of two `#rrggbb` colours. WCAG 2.2, "contrast ratio". */
export function contrastRatio(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
