import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { forbiddenMarkup, inlineScriptHashes, pagePath } from './csp.ts';

const hash = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;

describe('csp', () => {
  it('inlineScriptHashes hashes inline scripts only, each once, byte for byte', () => {
    const html = '<script src="/a.js"></script><script id="_R_">one\n</script><script>two</script><script>two</script>';
    expect(inlineScriptHashes(html)).toEqual([hash('one\n'), hash('two')]);
    expect(inlineScriptHashes('<p>none</p>')).toEqual([]);
  });

  it('forbiddenMarkup finds what the policy would block, but not inside scripts', () => {
    expect(forbiddenMarkup('<p style="color:red">')).toEqual(['a style attribute']);
    expect(forbiddenMarkup('<style>p{}</style><b onclick="x()">')).toHaveLength(2);
    expect(forbiddenMarkup('<script>"<p style=\\"a\\">"</script><p class="a">')).toEqual([]);
  });

  it('pagePath is the name under which the relay looks a page up', () => {
    expect(pagePath('index.html')).toBe('/index.html');
    expect(pagePath('sees/index.html')).toBe('/sees/index.html');
    expect(pagePath('404.html')).toBe('/404.html');
  });
});
