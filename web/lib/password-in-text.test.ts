import { expect, test } from 'vitest';
import { seemsToHoldPassword } from './password-in-text.ts';

test.each([
  'HTTPS_PROXY=http://ana:hunter2@px:8080',
  'return "PROXY ana:hun@ter2@px:8080";',
  '// old: ana:hunter2@px',
  'PROXY http://ana:12 34@px',
  'http://:hunter2@px',
  'https://px/a:b@c',
  `x:${'y'.repeat(200)}@px`,
])('a password seems to stand in %j', (text) => {
  expect(seemsToHoldPassword(text)).toBe(true);
});

test.each([
  '',
  'PROXY px:8080; DIRECT',
  '// Questions: network@corp.example, mailto:ops@corp.example <mailto:ops@corp.example>',
  '@',
  '// Contact: network@corp.example',
  'http://wpad/p.pac?a=b:c',
])('none seems to stand in %j', (text) => {
  expect(seemsToHoldPassword(text)).toBe(false);
});
