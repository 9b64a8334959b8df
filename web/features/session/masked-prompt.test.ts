import { expect, test } from 'vitest';
import { asksForSecret } from './masked-prompt.ts';

test.each(['Password:', "Enter passphrase for key 'id': ", 'Kennwort für ana: ', '請輸入密碼：', 'Mot de passe : '])(
  'asksForSecret sees that %s asks',
  (text) => {
    expect(asksForSecret(`before\r\n${text}`)).toBe(true);
  },
);

test.each(['Password: ok\r\n', 'Name? ', 'The password expires in 3 days.\r\nC:\\>', ''])(
  'asksForSecret sees that %j does not',
  (text) => {
    expect(asksForSecret(text)).toBe(false);
  },
);
