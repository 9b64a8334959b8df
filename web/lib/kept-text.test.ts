import { describe, expect, it } from 'vitest';
import { KeptText } from './kept-text.ts';

describe('KeptText', () => {
  it('keeps a text where there is no storage, and tells who watches', () => {
    const text = new KeptText('fairlead.test');
    let told = 0;
    const stop = text.watch(() => {
      told += 1;
    });
    expect(text.read()).toBeNull();
    text.write('one');
    expect(text.read()).toBe('one');
    stop();
    text.write(null);
    expect(text.read()).toBeNull();
    expect(told).toBe(1);
  });
});
