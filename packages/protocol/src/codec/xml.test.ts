import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fail, isWinRmError } from '../errors.ts';
import { attributeOf, childOf, childrenOf, element, escapeXml, parseXml, textWithin, type XmlElement } from './xml.ts';

const malformed = (problem: string): never => fail('wsman.malformed', { problem });
const parse = (text: string): XmlElement => parseXml(text, malformed);

describe('parseXml', () => {
  it('resolves namespaces by URI, whatever the prefix', () => {
    const root = parse('<q:a xmlns:q="urn:one" xmlns="urn:two" q:k="1" k="2"><b>x</b><q:b>y</q:b></q:a>');
    expect(root).toMatchObject({ uri: 'urn:one', local: 'a' });
    expect(childOf(root, 'urn:two', 'b')?.text).toBe('x');
    expect(childOf(root, 'urn:one', 'b')?.text).toBe('y');
    expect(childOf(root, 'urn:three', 'b')).toBeNull();
    expect(attributeOf(root, 'k')).toBe('2');
    expect(attributeOf(root, 'k', 'urn:one')).toBe('1');
    expect(attributeOf(root, 'xmlns')).toBeNull();
  });

  it('joins text, CDATA and references, and skips comments', () => {
    const root = parse('<?xml version="1.0" encoding="utf-8"?><a>1<!-- no -->&lt;<![CDATA[<&]]>&#x41;<b>in</b>2</a>');
    expect(root.text).toBe('1<<&A2');
    expect(textWithin(root)).toBe('1<<&A2in');
    expect(childrenOf(root, '', 'b')).toHaveLength(1);
  });

  it('keeps names that objects use for themselves as plain attributes', () => {
    const root = parse('<a __proto__="1" constructor="2" hasOwnProperty="3"/>');
    expect(root.attributes.map(({ local }) => local)).toEqual(['__proto__', 'constructor', 'hasOwnProperty']);
  });

  it.each([
    ['', 'root'],
    ['plain', 'text'],
    ['<a>', 'unclosed'],
    ['<a></b>', 'unexpected close tag'],
    ['<a/><b/>', 'document'],
    ['<q:a/>', 'unbound'],
    ['<a k="1" k="2"/>', 'duplicate'],
    ['<a>&unknown;</a>', 'undefined entity'],
    ['<a>\u0000</a>', 'disallowed'],
    ['<a>&#0;</a>', 'malformed character entity'],
    ['<!DOCTYPE a><a/>', 'document type'],
    ['<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>', 'document type'],
    ['<?go now?><a/>', 'processing instruction'],
  ])('refuses %j as wsman.malformed', (text, problem) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        code: 'wsman.malformed',
        details: { problem: expect.stringContaining(problem) as string },
      }),
    );
  });

  it('bounds depth, elements, attributes and length', () => {
    const limits = { maxChars: 100, maxDepth: 3, maxElements: 5, maxAttributes: 2 };
    const bounded = (text: string) => () => parseXml(text, malformed, limits);
    expect(bounded('<a><b><c/></b></a>')).not.toThrow();
    expect(bounded('<a><b><c><d/></c></b></a>')).toThrow(/malformed/);
    expect(bounded('<a><b/><b/><b/><b/></a>')).not.toThrow();
    expect(bounded('<a><b/><b/><b/><b/><b/></a>')).toThrow(/malformed/);
    expect(bounded('<a k="1" l="2" m="3"/>')).toThrow(/malformed/);
    expect(bounded(`<a>${'x'.repeat(100)}</a>`)).toThrow(/malformed/);
  });

  it('reads long runs of base64 as text wherever they stand, and as nothing where nothing is read', () => {
    const run = 'QUJD'.repeat(200);
    const root = parse(`<a>${run}<b>x</b>${run}<!-- >${run}< --><c><![CDATA[>${run}<]]></c><d k="1">${run}</d></a>`);
    expect(root.text).toBe(run + run);
    expect(root.children.map(({ text }) => text)).toEqual(['x', `>${run}<`, run]);
    expect(parse(`<a><b>\ue0000\ue001</b>${run}</a>`)).toMatchObject({ text: run });
    expect(parse(`<a><b>\ue0000\ue001</b>${run}</a>`).children[0]?.text).toBe('\ue0000\ue001');
    for (const broken of [`<a k=">${run}<"/>`, `<a/>${run}<b/>`, `<a>${run}`, `<a><?x >${run}<?></a>`]) {
      expect(() => parse(broken)).toThrow(/malformed/);
    }
  });

  it('reads a reference to a character that marks a run as that character, and grows by nothing', () => {
    const run = 'QUJD'.repeat(200);
    for (const [start, end] of [
      ['&#xE000;', '&#xe001;'],
      ['&#57344;', '&#57345;'],
      ['&#xE000;', '\ue001'],
      ['&#x0000e000;', '&#x0000E001;'],
    ]) {
      const root = parse(`<a><b>${run}</b><c>${`${start}0${end}`.repeat(1700)}</c></a>`);
      expect(root.children.map(({ text }) => text)).toEqual([run, '\ue0000\ue001'.repeat(1700)]);
    }
  });

  it('gives a tree or the caller’s error for any text', () => {
    const piece = fc.constantFrom(
      '<a>',
      '</a>',
      '<a/>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?x',
      '?>',
      '&lt;',
      '&',
      'é',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (input) => {
        try {
          parse(input);
        } catch (error) {
          expect(isWinRmError(error, 'wsman.malformed')).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('element', () => {
  it('escapes text and attributes and takes markup as it is', () => {
    const inner = element('b', { k: '"<&>\r\n\t' }, '<&>');
    expect(element('p:a', {}, 'x\r\n', inner).xml).toBe(
      '<p:a>x&#13;&#10;<b k="&quot;&lt;&amp;&gt;&#13;&#10;&#9;">&lt;&amp;&gt;</b></p:a>',
    );
    expect(element('a', {}).xml).toBe('<a/>');
  });

  it.each(['\u0000', '\u0001', '\u000b', '\u001f', '\ud800', 'a\udc00', '\ufffe'])(
    'refuses %j with misuse.bad-argument, reason bad-xml',
    (text) => {
      expect(() => escapeXml(text)).toThrow(expect.objectContaining({ code: 'misuse.bad-argument' }));
    },
  );

  it.each(['', 'a b', '<a', 'a:b:c', '1a', 'a"'])('refuses the name %j', (name) => {
    expect(() => element(name, {})).toThrow(expect.objectContaining({ code: 'misuse.bad-argument' }));
    expect(() => element('a', { [name]: '' })).toThrow(expect.objectContaining({ code: 'misuse.bad-argument' }));
  });

  it('is the inverse of parseXml for text and attributes', () => {
    const carried = fc
      .string({ unit: 'grapheme' })
      .filter((text) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text));
    fc.assert(
      fc.property(carried, carried, (text, value) => {
        const root = parse(element('a', { k: value }, text).xml);
        expect([root.text, attributeOf(root, 'k')]).toEqual([text, value]);
      }),
    );
  });
});
