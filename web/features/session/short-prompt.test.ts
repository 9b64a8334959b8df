import { expect, test } from 'vitest';
import { SHOWN_PROMPT_CHARS, shortPrompt } from './short-prompt.ts';

test('shortPrompt leaves a short prompt alone', () => {
  expect(shortPrompt('C:\\Users\\ana>')).toBe('C:\\Users\\ana>');
});

test('shortPrompt keeps the drive and the last folders of a long one', () => {
  expect(shortPrompt('C:\\Users\\ana\\Documents\\projects\\fairlead\\web\\out>')).toBe(
    'C:\\…\\projects\\fairlead\\web\\out>',
  );
  expect(shortPrompt(`/srv/${'a/'.repeat(40)}end>`).length).toBeLessThanOrEqual(SHOWN_PROMPT_CHARS);
});

test('shortPrompt cuts a single name that is too long', () => {
  const short = shortPrompt(`C:\\${'x'.repeat(200)}>`);
  expect(short).toHaveLength(SHOWN_PROMPT_CHARS);
  expect(short).toMatch(/^….*>$/);
});
