import { describe, expect, test } from 'vitest';
import { consoleCodePage, findMojibake } from './mojibake.ts';

describe('findMojibake', () => {
  test('suspects the console code page of the language when UTF-8 does not decode', () => {
    expect(findMojibake('Gr\ufffd\ufffde', 65001, 'de-DE')).toEqual({ kind: 'undecodable', codePage: 850 });
    expect(findMojibake('Grüße', 65001, 'de-DE')).toBeNull();
  });

  test('suspects UTF-8 when a one-byte code page shows its sequences', () => {
    expect(findMojibake('GrÃ¼ÃŸe', 1252, 'de')).toEqual({ kind: 'doubled', codePage: 65001 });
    expect(findMojibake('Gr├╝├ƒe ├ñ ├Ñ', 850, 'de')).toEqual({ kind: 'doubled', codePage: 65001 });
    expect(findMojibake('├──┤ box ├──┤', 850, 'de')).toBeNull();
    expect(findMojibake('São Paulo, Ângela', 1252, 'pt')).toBeNull();
  });

  test('knows the console code pages', () => {
    expect(['zh-TW', 'zh-Hant-HK', 'zh-CN', 'ja', 'ru-RU', 'en-US', 'xx', ''].map(consoleCodePage)).toEqual([
      950, 950, 936, 932, 866, 437, 437, 437,
    ]);
  });
});
