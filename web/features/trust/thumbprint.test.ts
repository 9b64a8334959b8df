import { describe, expect, it } from 'vitest';
import { groupsOf } from './groups.ts';
import { compareThumbprint } from './thumbprint.ts';

const shown = { sha256: 'AB'.repeat(32), sha1: 'CD'.repeat(20) };

describe('compareThumbprint', () => {
  it('reads SHA-256 and SHA-1 with any separators', () => {
    expect(compareThumbprint(`${'ab:'.repeat(31)}ab`, shown)).toBe('match');
    expect(compareThumbprint(`\u200e${'cd '.repeat(20)}`, shown)).toBe('match');
    expect(compareThumbprint('CD'.repeat(20), shown)).toBe('match');
  });

  it('tells a mismatch from half a thumbprint, and says nothing before anything was pasted', () => {
    expect(compareThumbprint('AC'.repeat(32), shown)).toBe('mismatch');
    expect(compareThumbprint('AB'.repeat(20), shown)).toBe('mismatch');
    expect(compareThumbprint('ABAB', shown)).toBe('malformed');
    expect(compareThumbprint(' ', shown)).toBeNull();
  });
});

describe('groupsOf', () => {
  it('cuts into fours', () => {
    expect(groupsOf('ABCDEF0123')).toEqual(['ABCD', 'EF01', '23']);
  });
});
