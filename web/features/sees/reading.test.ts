import { describe, expect, it } from 'vitest';
import { FACTS, READERS, reading } from './reading.ts';

describe('reading', () => {
  it('relay and proxy see the sign-in but no password, command or output', () => {
    for (const reader of ['relay', 'proxy'] as const) {
      expect(FACTS.filter((fact) => reading(reader, fact) === 'reads')).toEqual(['address', 'sizes', 'http', 'user']);
      expect(FACTS.filter((fact) => reading(reader, fact) === 'guess')).toEqual(['proof']);
      expect(FACTS.filter((fact) => reading(reader, fact) === 'nothing')).toEqual(['password', 'commands', 'output']);
    }
  });

  it('the password leaves the tab towards nobody, not even the server', () => {
    expect(READERS.filter((reader) => reading(reader, 'password') === 'reads')).toEqual(['you']);
  });
});
