/**
 * The part of ICU MessageFormat that our sentences use: `{name}`, `{name, select, …}` and `{name, plural, …}` with `#`.
 * A test holds every sentence the command line can print to this subset.
 */

/** What a sentence is made of. */
export type MessagePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'number' }
  | {
      readonly kind: 'choice';
      readonly name: string;
      readonly by: 'select' | 'plural';
      readonly options: ReadonlyMap<string, readonly MessagePart[]>;
    };

/** Values for the parameters of a sentence. */
export type MessageValues = Readonly<Record<string, string | number>>;

/** Reads a sentence. @throws SyntaxError when it leaves the subset */
export function parseMessage(pattern: string): readonly MessagePart[] {
  const reader = { pattern, at: 0 };
  const parts = readParts(reader, false);
  if (reader.at !== pattern.length) throw new SyntaxError(`unexpected "}" at ${reader.at} in: ${pattern}`);
  return parts;
}

/** Puts values into a sentence. @throws SyntaxError for a bad pattern, RangeError for a missing value */
export function formatMessage(pattern: string, values: MessageValues): string {
  return render(parseMessage(pattern), values, 0);
}

interface Reader {
  readonly pattern: string;
  at: number;
}

function readParts(reader: Reader, isPlural: boolean): MessagePart[] {
  const parts: MessagePart[] = [];
  while (reader.at < reader.pattern.length && reader.pattern[reader.at] !== '}') {
    const character = reader.pattern[reader.at] as string;
    if (character === "'") throw new SyntaxError(`use ’ for an apostrophe in: ${reader.pattern}`);
    if (character === '{') parts.push(readArgument(reader));
    else if (character === '#' && isPlural) {
      parts.push({ kind: 'number' });
      reader.at += 1;
    } else {
      const text = take(reader, isPlural ? /[^{}'#]+/y : /[^{}']+/y);
      parts.push({ kind: 'text', text });
    }
  }
  return parts;
}

function readArgument(reader: Reader): MessagePart {
  take(reader, /\{\s*/y);
  const name = take(reader, /[A-Za-z][A-Za-z0-9]*/y);
  if (take(reader, /\s*[,}]/y).endsWith('}')) return { kind: 'value', name };
  const by = take(reader, /\s*(select|plural)/y).trim() as 'select' | 'plural';
  take(reader, /\s*,\s*/y);
  const options = new Map<string, readonly MessagePart[]>();
  while (reader.pattern[reader.at] !== '}') {
    const option = take(reader, by === 'select' ? /[\w-]+/y : /=\d+|one|other/y);
    take(reader, /\s*\{/y);
    options.set(option, readParts(reader, by === 'plural'));
    take(reader, /\}\s*/y);
  }
  reader.at += 1;
  if (!options.has('other')) throw new SyntaxError(`{${name}, ${by}} lacks "other" in: ${reader.pattern}`);
  return { kind: 'choice', name, by, options };
}

function take(reader: Reader, what: RegExp): string {
  what.lastIndex = reader.at;
  const found = what.exec(reader.pattern)?.[0];
  if (found === undefined) throw new SyntaxError(`expected ${what.source} at ${reader.at} in: ${reader.pattern}`);
  reader.at += found.length;
  return found;
}

function render(parts: readonly MessagePart[], values: MessageValues, count: number): string {
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      if (part.kind === 'number') return String(count);
      const value = values[part.name];
      if (value === undefined) throw new RangeError(`no value for {${part.name}}`);
      if (part.kind === 'value') return String(value);
      return render(optionFor(part, value), values, Number(value));
    })
    .join('');
}

function optionFor(part: Extract<MessagePart, { kind: 'choice' }>, value: string | number): readonly MessagePart[] {
  const word = part.by === 'select' ? String(value) : Number(value) === 1 ? 'one' : 'other';
  return part.options.get(`=${value}`) ?? part.options.get(word) ?? part.options.get('other') ?? [];
}
