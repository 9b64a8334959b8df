import { describe, expect, it } from 'vitest';
import { FACTS, READERS, reading } from './reading.ts';

describe('reading', () => {
  it('relay and proxy see the sign-in, which a password can be guessed from, but no command and no output', () => {
    for (const reader of ['relay', 'proxy'] as const) {
      expect(FACTS.filter((fact) => reading(reader, fact) === 'reads')).toEqual([
        'address',
        'sizes',
        'http',
        'user',
        'proof',
      ]);
      expect(FACTS.filter((fact) => reading(reader, fact) === 'guess')).toEqual(['password']);
      expect(FACTS.filter((fact) => reading(reader, fact) === 'nothing')).toEqual(['commands', 'output']);
    }
  });

  it('nobody but the tab ever has the password, not even the server', () => {
    expect(READERS.filter((reader) => reading(reader, 'password') === 'reads')).toEqual(['you']);
  });
});
