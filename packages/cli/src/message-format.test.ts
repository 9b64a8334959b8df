import { describe, expect, it } from 'vitest';
import english from '../../../web/messages/en.json' with { type: 'json' };
import { formatMessage, type MessagePart, parseMessage } from './message-format.ts';

describe('formatMessage', () => {
  it('puts text and numbers in without grouping digits', () => {
    expect(formatMessage('{host} refused port {port}.', { host: 'srv', port: 5985 })).toBe('srv refused port 5985.');
  });

  it('chooses by word, falling back to other, and formats inside the choice', () => {
    const pattern = '{rule, select, target {No {host}.} other {Else {host}.}}';
    expect(formatMessage(pattern, { rule: 'target', host: 'a' })).toBe('No a.');
    expect(formatMessage(pattern, { rule: 'road', host: 'a' })).toBe('Else a.');
  });

  it('chooses by number: exact, one, other', () => {
    const pattern = '{n, plural, =0 {none} one {# second} other {# seconds}}';
    expect([0, 1, 7].map((n) => formatMessage(pattern, { n }))).toEqual(['none', '1 second', '7 seconds']);
  });

  it('refuses what it does not know instead of printing it', () => {
    for (const pattern of [
      '{',
      'a}',
      '{a',
      '{n, number}',
      '{n, select, a {b}}',
      '{n, plural, few {x} other {y}}',
      "it's",
    ]) {
      expect(() => parseMessage(pattern), pattern).toThrow(SyntaxError);
    }
    expect(() => formatMessage('{gone}', {})).toThrow(RangeError);
  });
});

describe('every English sentence the command line can print', () => {
  const sentences = [
    ...leaves('errors', english.errors),
    ...leaves('arguments', english.arguments),
    ...leaves('settingsWarnings', english.settingsWarnings),
  ];

  it('is there and stays within the subset of ICU that is read here', () => {
    expect(sentences.length).toBeGreaterThan(80);
    for (const [key, pattern] of sentences) expect(() => parseMessage(pattern), key).not.toThrow();
  });

  it('keeps the house tone: no exclamation, no "Oops", one space between sentences', () => {
    for (const [key, pattern] of sentences) {
      const text = parseMessage(pattern).map(textOf).join('');
      expect(text, key).not.toMatch(/!|\boops\b|\bplease wait\b| {2}/i);
    }
  });
});

function textOf(part: MessagePart): string {
  return part.kind === 'text' ? part.text : 'x';
}

function leaves(path: string, value: unknown): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => leaves(`${path}.${key}`, child));
}
