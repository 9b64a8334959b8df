import { describe, expect, test } from 'vitest';
import { shortcutOf } from './shortcut.ts';

function stroke(text: string, code = '') {
  const parts = text.split('+');
  return {
    key: parts.at(-1) ?? '',
    code,
    ctrlKey: parts.includes('Ctrl'),
    shiftKey: parts.includes('Shift'),
    altKey: parts.includes('Alt'),
    metaKey: parts.includes('Meta'),
  };
}

describe('shortcutOf', () => {
  test.each([
    ['Ctrl+c', 'interrupt'],
    ['Ctrl+Shift+C', 'copy'],
    ['Ctrl+Shift+V', 'paste'],
    ['Ctrl+Shift+F', 'find'],
    ['F3', 'find-next'],
    ['Ctrl+l', 'clear'],
    ['Ctrl+m', 'tab-mode'],
    ['F6', 'next-region'],
    ['Shift+F6', 'previous-region'],
    ['Ctrl+ArrowUp', 'older-command'],
    ['Ctrl+Cancel', 'break'],
  ])('%s is %s', (text, kind) => {
    expect(shortcutOf(stroke(text))).toEqual({ kind });
  });

  test('Alt with a digit chooses a tab by place, whatever the layout prints', () => {
    expect(shortcutOf(stroke('Alt+&', 'Digit1'))).toEqual({ kind: 'tab', index: 0 });
    expect(shortcutOf(stroke('Alt+Shift+!', 'Digit1'))).toBeNull();
    expect(shortcutOf(stroke('Alt+Shift+T', 'KeyT'))).toEqual({ kind: 'new-tab' });
    expect(shortcutOf(stroke('Alt+Shift+W', 'KeyW'))).toEqual({ kind: 'close-tab' });
  });

  test('leaves everything else to the field and the browser', () => {
    for (const text of ['c', 'Ctrl+w', 'Ctrl+t', 'Meta+c', 'Ctrl+Alt+c', 'Tab', 'Enter', 'Alt+x']) {
      expect(shortcutOf(stroke(text))).toBeNull();
    }
  });
});
