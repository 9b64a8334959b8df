import { describe, expect, test } from 'vitest';
import { isHistoryOn, isStorable, LineHistory, MAX_HISTORY_CHARS, MAX_HISTORY_LINES, setHistoryOn } from './history.ts';

function memory() {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

describe('LineHistory', () => {
  test('comes back for the same target and not for another', () => {
    const storage = memory();
    new LineHistory(storage, 'WEB01:5985').add('dir');
    expect(new LineHistory(storage, 'web01:5985').lines).toEqual(['dir']);
    expect(new LineHistory(storage, 'web02:5985').lines).toEqual([]);
  });

  test('keeps a repeated line once, and no blank or enormous ones', () => {
    const history = new LineHistory(memory(), 't');
    for (const line of ['dir', 'dir', '  ', 'x'.repeat(MAX_HISTORY_CHARS + 1), 'cd', 'dir']) history.add(line);
    expect(history.lines).toEqual(['dir', 'cd', 'dir']);
  });

  test('is bounded', () => {
    const history = new LineHistory(memory(), 't');
    for (let at = 0; at < MAX_HISTORY_LINES + 10; at += 1) history.add(`echo ${at}`);
    expect(history.lines).toHaveLength(MAX_HISTORY_LINES);
    expect(history.lines[0]).toBe('echo 10');
  });

  test('never writes lines that carry a secret or begin with a blank, but can walk back to them in this tab', () => {
    const storage = memory();
    const history = new LineHistory(storage, 't');
    history.add('net user ana Hunter2');
    history.add(' echo private');
    history.add('hostname');
    expect(history.lines).toHaveLength(3);
    expect(new LineHistory(storage, 't').lines).toEqual(['hostname']);
    expect([...storage.items.values()].join()).not.toMatch(/Hunter2|private/);
    expect(isStorable('set PASSWORD=x')).toBe(false);
    expect(isStorable('mysql -p hunter@db')).toBe(false);
    expect(isStorable('ping db')).toBe(true);
  });

  test('writes nothing while it is switched off', () => {
    const storage = memory();
    setHistoryOn(storage, false);
    const history = new LineHistory(storage, 't');
    history.add('dir');
    expect(isHistoryOn(storage)).toBe(false);
    expect(history.lines).toEqual(['dir']);
    expect([...storage.items.keys()]).toEqual(['fairlead.history']);
    setHistoryOn(storage, true);
    expect(isHistoryOn(storage)).toBe(true);
  });

  test('survives storage that is missing, broken or holds something else', () => {
    const broken = {
      getItem: (): string => {
        throw new DOMException('denied');
      },
      setItem: () => {
        throw new DOMException('full');
      },
      removeItem: () => {
        throw new DOMException('denied');
      },
    };
    for (const storage of [null, broken]) {
      const history = new LineHistory(storage, 't');
      history.add('dir');
      expect(history.lines).toEqual(['dir']);
      history.clear();
      expect(history.lines).toEqual([]);
    }
    const odd = memory();
    for (const text of ['{', '7', '[1,{"a":2},"dir"]']) {
      odd.items.set('fairlead.history.t', text);
      expect(new LineHistory(odd, 't').lines).toEqual(text.includes('dir') ? ['dir'] : []);
    }
  });

  test('clear forgets in storage too', () => {
    const storage = memory();
    const history = new LineHistory(storage, 't');
    history.add('dir');
    history.clear();
    expect(new LineHistory(storage, 't').lines).toEqual([]);
  });
});
