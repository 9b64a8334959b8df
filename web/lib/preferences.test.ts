import { readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  changePreferences,
  DEFAULT_PREFERENCES,
  DENSITIES,
  PREFERENCES_KEY,
  paintedTheme,
  parsePreferences,
  readPreferences,
  resetPreferences,
  TEXT_SIZES,
  THEMES,
  watchPreferences,
} from './preferences.ts';

const SCRIPT = readFileSync(path.join(import.meta.dirname, '../public/theme.js'), 'utf8');

/** What public/theme.js paints for a stored text and a system. */
function painted(stored: string | null, system: { dark: boolean; moreContrast: boolean }): Record<string, string> {
  const dataset: Record<string, string> = {};
  vm.runInNewContext(SCRIPT, {
    document: { documentElement: { dataset } },
    localStorage: { getItem: (key: string) => (key === PREFERENCES_KEY ? stored : null) },
    matchMedia: (query: string) => ({ matches: query.includes('contrast') ? system.moreContrast : system.dark }),
  });
  return dataset;
}

describe('preferences', () => {
  it('parsePreferences takes what it knows and defaults the rest', () => {
    expect(parsePreferences('{"theme":"dark","density":"tiny","pasteGuard":false}')).toEqual({
      ...DEFAULT_PREFERENCES,
      theme: 'dark',
      pasteGuard: false,
    });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(THEMES).toContain(parsePreferences(text).theme);
      }),
    );
  });

  it('theme.js paints before React what parsePreferences and paintedTheme say', () => {
    for (const theme of THEMES) {
      for (const density of DENSITIES) {
        for (const textSize of TEXT_SIZES) {
          for (const system of [
            { dark: false, moreContrast: false },
            { dark: true, moreContrast: false },
            { dark: true, moreContrast: true },
          ]) {
            expect(painted(JSON.stringify({ theme, density, textSize }), system)).toEqual({
              theme: paintedTheme(theme, system),
              density,
              text: textSize,
            });
          }
        }
      }
    }
    for (const junk of [null, 'null', '{', '"x"', '{"theme":7}']) {
      expect(painted(junk, { dark: true, moreContrast: false })['theme']).toBe('dark');
    }
  });

  it('changePreferences holds at once and tells who watches', () => {
    const told = vi.fn();
    const unwatch = watchPreferences(told);
    changePreferences({ theme: 'contrast' });
    expect(readPreferences().theme).toBe('contrast');
    resetPreferences();
    expect(readPreferences()).toEqual(DEFAULT_PREFERENCES);
    unwatch();
    changePreferences({});
    expect(told).toHaveBeenCalledTimes(2);
  });
});
