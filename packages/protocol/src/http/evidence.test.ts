import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../bytes/bytes.ts';
import { MAX_EVIDENCE_CHARACTERS, readableLine, readableText } from './evidence.ts';

const read = (page: string): string => readableText(utf8Encode(page));

describe('readableText', () => {
  it('keeps the words of a proxy page and drops what is not for reading', () => {
    const page = `<!DOCTYPE html><html><head><title>ERROR</title><style>body { color: red }</style></head>
      <body id=ERR_ACCESS_DENIED><!-- ref --><h1>ERROR</h1><p>Access&nbsp;Denied. Ask <a href="mailto:it@corp">IT</a> &lt;it@corp&gt;</p>
      <script>if (a < b) alert(1)</script></body></html>`;
    expect(read(page)).toBe('ERROR Access Denied. Ask IT <it@corp>');
  });

  it('leaves plain text alone but for control characters', () => {
    expect(read('a < b\r\n\u001b[31mred\u202e\u0000')).toBe('a < b [31mred');
  });

  it('ends at the limit and survives markup that never ends', () => {
    expect(read('x'.repeat(10_000))).toHaveLength(MAX_EVIDENCE_CHARACTERS);
    expect(read('<p>a<!-- b')).toBe('a');
    expect(read('<p>a<script>b')).toBe('a');
    expect(read('<p>a<b')).toBe('a');
  });

  it('gives clean, bounded text for any bytes', () => {
    const odd = fc
      .array(fc.constantFrom('<', '>', '<!--', '-->', '<style>', '</style>', '&lt;', '\u0007', 'é', ' '))
      .map((parts) => utf8Encode(parts.join('')));
    fc.assert(
      fc.property(fc.oneof(odd, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const text = readableText(bytes);
        expect(text).not.toMatch(/[\p{Cc}\u202e]/u);
        expect(text.length).toBeLessThanOrEqual(2 * MAX_EVIDENCE_CHARACTERS);
      }),
    );
  });
});

describe('readableLine', () => {
  it('makes a field safe to show', () => {
    expect(readableLine('1.1 squid\u0007 (x)')).toBe('1.1 squid (x)');
    expect(readableLine(null)).toBe('');
    expect(readableLine('a'.repeat(1000))).toHaveLength(256);
  });
});
