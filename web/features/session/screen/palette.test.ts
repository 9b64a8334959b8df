import { describe, expect, test } from 'vitest';
import { contrastFor, contrastRatio, PALETTE_TABLE, paletteFor } from './palette.ts';

describe('palettes', () => {
  test.each(Object.entries(PALETTE_TABLE))(
    '%s is readable on its ground in every colour but its black',
    (name, palette) => {
      const wanted = name === 'contrast' ? 7 : 4.5;
      expect(palette.colours).toHaveLength(16);
      expect(contrastRatio(palette.ink, palette.ground)).toBeGreaterThanOrEqual(wanted);
      const unreadable = palette.colours.slice(1).filter((colour) => contrastRatio(colour, palette.ground) < wanted);
      expect(unreadable).toEqual([]);
    },
  );

  test('follow the theme unless one was chosen, and high contrast keeps its own', () => {
    expect(paletteFor('auto', 'light')).toBe(PALETTE_TABLE.day);
    expect(paletteFor('auto', 'dark')).toBe(PALETTE_TABLE.night);
    expect(paletteFor('campbell', 'light')).toBe(PALETTE_TABLE.campbell);
    expect(paletteFor('campbell', 'contrast')).toBe(PALETTE_TABLE.contrast);
    expect([contrastFor('light'), contrastFor('contrast')]).toEqual([4.5, 7]);
  });

  test('contrastRatio agrees with the definition at both ends', () => {
    expect(contrastRatio('#000000', '#ffffff')).toBeCloseTo(21);
    expect(contrastRatio('#777777', '#777777')).toBe(1);
  });
});
