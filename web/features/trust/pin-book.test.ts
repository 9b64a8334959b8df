import { addPin, importPins } from '@fairlead/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { changePins, forgetPins, PINS_KEY, readPins } from './pin-book.ts';

const pin = { sha256: 'AB'.repeat(32), issuer: 'CN=web01', sinceMs: 5 };
const stored = new Map<string, string>();

beforeEach(() => {
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, text: string) => void stored.set(key, text),
    removeItem: (key: string) => void stored.delete(key),
  });
});
afterEach(() => {
  stored.clear();
  vi.unstubAllGlobals();
});

describe('the pins this browser keeps', () => {
  it('are read back as they were kept', () => {
    expect(readPins()).toEqual([]);
    changePins((store) => addPin(store, 'web01:5986', pin));
    expect(readPins()).toEqual([{ target: 'web01:5986', ...pin }]);
    expect(readPins()).toBe(readPins());
    expect(importPins(stored.get(PINS_KEY) ?? '')).toHaveLength(1);
  });

  it('are null, not empty, when they cannot be read, and stay as they are until they are given up', () => {
    stored.set(PINS_KEY, '{"format":"fairlead-pins"');
    expect(readPins()).toBeNull();
    changePins((store) => addPin(store, 'web01:5986', pin));
    expect(stored.get(PINS_KEY)).toBe('{"format":"fairlead-pins"');
    forgetPins();
    expect(readPins()).toEqual([]);
  });
});
