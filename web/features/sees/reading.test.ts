import { describe, expect, it } from 'vitest';
import { FACTS, READERS, reading } from './reading.ts';

describe('reading', () => {
  it('on 5985 relay and proxy see the sign-in, which a password can be guessed from, but no command and no output', () => {
    for (const reader of ['relay', 'proxy'] as const) {
      expect(FACTS.filter((fact) => reading('http', reader, fact) === 'reads')).toEqual([
        'address',
        'sizes',
        'http',
        'user',
        'proof',
      ]);
      expect(FACTS.filter((fact) => reading('http', reader, fact) === 'guess')).toEqual(['password']);
      expect(FACTS.filter((fact) => reading('http', reader, fact) === 'nothing')).toEqual(['commands', 'output']);
    }
  });

  it('on 5986 relay and proxy see where, how much and when, and nothing else', () => {
    for (const reader of ['relay', 'proxy'] as const) {
      expect(FACTS.filter((fact) => reading('https', reader, fact) !== 'nothing')).toEqual(['address', 'sizes']);
    }
    expect(reading('https', 'server', 'password')).toBe('guess');
  });

  it('nobody but the tab ever has the password, not even the server', () => {
    expect(READERS.filter((reader) => reading('http', reader, 'password') === 'reads')).toEqual(['you']);
  });
});
