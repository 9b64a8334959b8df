import { describe, expect, it } from 'vitest';
import { codeFromFragment, groupTypedCode } from './sign-in-link.ts';

describe('sign-in link', () => {
  it('codeFromFragment finds the code and nothing else', () => {
    expect(codeFromFragment('#code=ABCD-EFGH-JKLM')).toBe('ABCD-EFGH-JKLM');
    expect(codeFromFragment('code=abcd%20efgh')).toBe('abcd efgh');
    expect(codeFromFragment('')).toBeNull();
    expect(codeFromFragment('#code=')).toBeNull();
    expect(codeFromFragment('#other=1')).toBeNull();
    expect(codeFromFragment(`#code=${'A'.repeat(65)}`)).toBeNull();
  });

  it('groupTypedCode groups by four, drops what no code has, and stops at twelve', () => {
    expect(groupTypedCode('abcdefgh')).toBe('ABCD-EFGH');
    expect(groupTypedCode('abcd-efgh-jklm-nopq')).toBe('ABCD-EFGH-JKLM');
    expect(groupTypedCode(' 2 3 4 5 ')).toBe('2345');
    expect(groupTypedCode('')).toBe('');
  });
});
