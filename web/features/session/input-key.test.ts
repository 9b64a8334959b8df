import { describe, expect, test } from 'vitest';
import { inputKey } from './input-key.ts';
import { EMPTY_LINE, edited, searchedOlder } from './line-editor.ts';

const at = { mode: 'prompt', tabMode: 'complete', hasSuggestion: false } as const;
const typed = edited(EMPTY_LINE, 'dir', 3);
const stroke = (text: string) => {
  const parts = text.split('+');
  return {
    key: parts.at(-1) ?? '',
    code: '',
    ctrlKey: parts.includes('Ctrl'),
    shiftKey: parts.includes('Shift'),
    altKey: parts.includes('Alt'),
    metaKey: false,
  };
};

describe('inputKey', () => {
  test('Enter sends, Shift+Enter begins another line', () => {
    expect(inputKey(stroke('Enter'), typed, at)).toBe('submit');
    expect(inputKey(stroke('Shift+Enter'), typed, at)).toBeNull();
    expect(inputKey(stroke('Shift+Enter'), typed, { ...at, mode: 'hidden' })).toBe('submit');
  });

  test('arrows walk history only from the first and last row', () => {
    const rows = edited(EMPTY_LINE, 'a\nb', 3);
    expect(inputKey(stroke('ArrowUp'), typed, at)).toBe('older');
    expect(inputKey(stroke('ArrowUp'), rows, at)).toBeNull();
    expect(inputKey(stroke('ArrowDown'), rows, at)).toBe('newer');
    expect(inputKey(stroke('F8'), typed, at)).toBe('prefix-older');
    expect(inputKey(stroke('Shift+F8'), typed, at)).toBe('prefix-newer');
  });

  test('a line for a program has no history and no suggestions', () => {
    for (const key of ['ArrowUp', 'ArrowDown', 'F8', 'Ctrl+r', 'ArrowRight']) {
      expect(inputKey(stroke(key), typed, { ...at, mode: 'program', hasSuggestion: true })).toBeNull();
    }
  });

  test('Tab completes, or moves the focus when a person wants that', () => {
    expect(inputKey(stroke('Tab'), typed, { ...at, hasSuggestion: true })).toBe('take');
    expect(inputKey(stroke('Tab'), typed, at)).toBe('nothing');
    expect(inputKey(stroke('Tab'), typed, { ...at, tabMode: 'focus', hasSuggestion: true })).toBeNull();
    expect(inputKey(stroke('Shift+Tab'), typed, at)).toBeNull();
    expect(inputKey(stroke('Tab'), typed, { ...at, mode: 'program', tabMode: 'focus' })).toBeNull();
  });

  test('suggestions are taken whole or by the word', () => {
    const context = { ...at, hasSuggestion: true };
    expect(inputKey(stroke('ArrowRight'), typed, context)).toBe('take');
    expect(inputKey(stroke('End'), typed, context)).toBe('take');
    expect(inputKey(stroke('Ctrl+ArrowRight'), typed, context)).toBe('take-word');
    expect(inputKey(stroke('ArrowRight'), typed, at)).toBeNull();
  });

  test('a search has keys of its own', () => {
    const searching = searchedOlder(typed, []);
    const keys = ['Ctrl+r', 'Ctrl+s', 'Ctrl+g', 'Ctrl+c', 'Escape', 'Enter', 'Tab', 'End', 'ArrowUp', 'ArrowDown', 'x'];
    expect(keys.map((key) => inputKey(stroke(key), searching, at))).toEqual([
      'search-older',
      'search-newer',
      'search-cancel',
      'search-cancel',
      'search-cancel',
      'search-run',
      'search-keep',
      'search-keep',
      'search-older',
      'search-newer',
      null,
    ]);
  });

  test('Escape clears a line and is left alone on an empty one', () => {
    expect(inputKey(stroke('Escape'), typed, at)).toBe('clear-line');
    expect(inputKey(stroke('Escape'), EMPTY_LINE, at)).toBeNull();
    expect(inputKey(stroke('Alt+Enter'), typed, at)).toBeNull();
  });
});
