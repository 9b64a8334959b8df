import { describe, expect, test } from 'vitest';
import {
  EMPTY_LINE,
  edited,
  inserted,
  isOnFirstLine,
  isOnLastLine,
  linesOf,
  recalled,
  searchEnded,
  searchedNewer,
  searchedOlder,
  searchMatch,
  searchTyped,
  suggestion,
  suggestionTaken,
} from './line-editor.ts';

const history = ['dir', 'ipconfig /all', 'hostname', 'ipconfig', 'dir'];
const typed = (text: string, caret = text.length) => edited(EMPTY_LINE, text, caret);

describe('recalled', () => {
  test('walks back through the lines and forward again to what was being typed', () => {
    const one = recalled(typed('ec'), history, 'older', 'any');
    expect(one).toMatchObject({ text: 'dir', caret: 3 });
    const two = recalled(one, history, 'older', 'any');
    expect(two.text).toBe('ipconfig');
    const back = recalled(recalled(two, history, 'newer', 'any'), history, 'newer', 'any');
    expect(back).toMatchObject({ text: 'ec', recall: null });
  });

  test('stays on the oldest line when there is nothing older', () => {
    let state = EMPTY_LINE;
    for (let step = 0; step < 20; step += 1) state = recalled(state, history, 'older', 'any');
    expect(state.text).toBe('dir');
    expect(recalled(EMPTY_LINE, [], 'older', 'any')).toBe(EMPTY_LINE);
    expect(recalled(EMPTY_LINE, history, 'newer', 'any').text).toBe('');
  });

  test('by prefix visits only lines that begin with what stands before the caret, and keeps the caret there', () => {
    const one = recalled(typed('ip'), history, 'older', 'prefix');
    expect(one).toMatchObject({ text: 'ipconfig', caret: 2 });
    const two = recalled(one, history, 'older', 'prefix');
    expect(two).toMatchObject({ text: 'ipconfig /all', caret: 2 });
    expect(recalled(two, history, 'older', 'prefix')).toBe(two);
  });

  test('is over as soon as the line is edited', () => {
    const one = recalled(EMPTY_LINE, history, 'older', 'any');
    expect(edited(one, 'dirx', 4).recall).toBeNull();
    expect(edited(one, one.text, 1).recall).not.toBeNull();
  });

  test('skips a line equal to the one shown, so that a press always changes something', () => {
    expect(recalled(typed('dir'), ['hostname', 'dir'], 'older', 'any').text).toBe('hostname');
  });
});

describe('search', () => {
  test('finds the newest match first and older ones with each further press', () => {
    let state = searchedOlder(typed('draft'), history);
    expect(searchMatch(state, history)).toBeNull();
    state = searchTyped(state, history, 'CONF');
    expect(searchMatch(state, history)).toBe('ipconfig');
    state = searchedOlder(state, history);
    expect(searchMatch(state, history)).toBe('ipconfig /all');
    state = searchedNewer(state, history);
    expect(searchMatch(state, history)).toBe('ipconfig');
    expect(searchEnded(state, history, true)).toMatchObject({ text: 'ipconfig', search: null });
    expect(searchEnded(state, history, false)).toMatchObject({ text: 'draft', search: null });
  });

  test('keeps the last match when nothing older is left, and says null for no match', () => {
    let state = searchTyped(searchedOlder(EMPTY_LINE, history), history, 'hostname');
    state = searchedOlder(state, history);
    expect(searchMatch(state, history)).toBe('hostname');
    expect(searchMatch(searchTyped(state, history, 'zzz'), history)).toBeNull();
    expect(searchEnded(searchTyped(state, history, 'zzz'), history, true).text).toBe('');
  });

  test('does nothing when no search is under way', () => {
    expect(searchTyped(EMPTY_LINE, history, 'a')).toBe(EMPTY_LINE);
    expect(searchedNewer(EMPTY_LINE, history)).toBe(EMPTY_LINE);
    expect(searchEnded(EMPTY_LINE, history, true)).toBe(EMPTY_LINE);
  });
});

describe('suggestion', () => {
  test('is the rest of the newest line that continues the text', () => {
    expect(suggestion(typed('host'), history)).toBe('name');
    expect(suggestion(typed('ipconfig'), history)).toBe(' /all');
    expect(suggestionTaken(typed('ipconfig'), history, 'word').text).toBe('ipconfig /all');
    expect(suggestionTaken(typed('h'), history, 'whole')).toMatchObject({ text: 'hostname', caret: 8 });
  });

  test('is empty inside the text, for an empty line, and for lines of several rows', () => {
    expect(suggestion(typed('host', 2), history)).toBe('');
    expect(suggestion(EMPTY_LINE, history)).toBe('');
    expect(suggestion(typed('a'), ['a\nb'])).toBe('');
    const state = typed('zzz');
    expect(suggestionTaken(state, history, 'whole')).toBe(state);
  });
});

describe('lines', () => {
  test('a multi-line entry becomes its lines, without blank ones at the end', () => {
    expect(linesOf('a\r\nb\rc\n\n')).toEqual(['a', 'b', 'c']);
    expect(linesOf('')).toEqual(['']);
    expect(linesOf('\n\n')).toEqual(['']);
  });

  test('Up and Down leave the field only from its first and last row', () => {
    expect(isOnFirstLine(typed('a\nb', 1))).toBe(true);
    expect(isOnFirstLine(typed('a\nb', 2))).toBe(false);
    expect(isOnLastLine(typed('a\nb', 1))).toBe(false);
    expect(isOnLastLine(typed('a\nb', 2))).toBe(true);
  });

  test('inserted replaces the selection and puts the caret behind', () => {
    expect(inserted(typed('abcd'), 'X', 1, 3)).toMatchObject({ text: 'aXd', caret: 2 });
  });
});
