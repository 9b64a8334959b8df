import { describe, expect, it } from 'vitest';
import {
  findDemoPassword,
  findPassword,
  forgetEverything,
  forgetPassword,
  keepDemoPassword,
  keepPassword,
} from './vault.ts';

describe('vault', () => {
  it('remembers a password for the life of the tab, until it is forgotten', () => {
    keepPassword('a', 'one');
    keepPassword('b', 'two');
    expect(findPassword('a')).toBe('one');
    forgetPassword('a');
    expect(findPassword('a')).toBeNull();
    expect(findPassword('b')).toBe('two');
  });

  it('keeps the demo’s password where no storage is to be had, and forgets everything', async () => {
    await keepDemoPassword('secret');
    await expect(findDemoPassword()).resolves.toBe('secret');
    await forgetEverything();
    await expect(findDemoPassword()).resolves.toBeNull();
    expect(findPassword('b')).toBeNull();
  });
});
