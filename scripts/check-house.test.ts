import { describe, expect, it } from 'vitest';
import { checkHouse } from './check-house.ts';
import { checkErrorTexts } from './house/error-texts.ts';
import { checkProxyRules } from './house/proxy-rules.ts';
import type { Violation } from './house/violation.ts';

const CORE = 'packages/protocol/src';

/** Breaches of the planted files, without those about errors, which a small tree cannot satisfy. */
function breaches(files: Record<string, string>): Violation[] {
  return checkHouse(new Map(Object.entries(files))).filter(({ rule }) => rule !== 'errors');
}

function rules(files: Record<string, string>): string[] {
  return [...new Set(breaches(files).map(({ rule }) => rule))];
}

describe('check-house passes', () => {
  it('a tidy file of every kind', () => {
    const files = {
      [`${CORE}/bytes/a.ts`]: "/** A. */\nexport const a = 1;\nimport { fail } from '../errors.ts';\nfail();\n",
      [`${CORE}/auth/ntlm/ntlm.ts`]:
        "import { b } from './_b.ts';\nimport { md5 } from '@noble/hashes/legacy.js';\nb(md5);\n",
      [`${CORE}/bytes/stream.ts`]: 'await Promise.resolve();\n',
      'relay/src/main.ts': "import { walkRoad } from '@fairlead/protocol/road';\nawait walkRoad();\n",
      'packages/testbed/src/x.ts': "import { c } from '../../protocol/src/auth/ntlm/_messages.ts';\nc();\n",
    };
    expect(breaches(files)).toEqual([]);
  });

  it('text about waiting, globals and skipped words in comments and strings', () => {
    const text = "// await a Promise, Date.now() and Buffer\nconst s = 'async await Promise console';\ns.length;\n";
    expect(breaches({ [`${CORE}/seal/a.ts`]: text })).toEqual([]);
  });

  it('overloads that share the comment of the first', () => {
    const text =
      '/** F. */\nexport function f(a: string): void;\nexport function f(a: number): void;\nexport function f(): void {}\n';
    expect(breaches({ [`${CORE}/seal/a.ts`]: text })).toEqual([]);
  });
});

describe('check-house goes red on', () => {
  it.each([
    ['a room importing outside its row', `${CORE}/seal/a.ts`, "import { x } from '../http/headers.ts';\nx();\n"],
    [
      'a value import where only types are allowed',
      `${CORE}/root.ts`,
      "import { x } from './bytes/stream.ts';\nx();\n",
    ],
    ['noble outside crypto, tls and auth', `${CORE}/seal/a.ts`, "import { x } from '@noble/ciphers/aes.js';\nx();\n"],
    ['a private file of another folder', `${CORE}/auth/a.ts`, "import { x } from './ntlm/_keys.ts';\nx();\n"],
    ['a dynamic import outside the row', `${CORE}/seal/a.ts`, "void import('node:fs');\n"],
    [
      'an import type outside the row',
      `${CORE}/seal/a.ts`,
      "type A = import('../wsman/lane.ts').Lane;\nconst a: A = 1;\na;\n",
    ],
    ['an export from outside the row', `${CORE}/seal/a.ts`, "export * from '../wsman/lane.ts';\n"],
    [
      'choosing a mechanism outside the binder',
      `${CORE}/session/session.ts`,
      "import { c } from '../auth/select.ts';\nc();\n",
    ],
    [
      'the relay reaching into the protocol',
      'relay/src/a.ts',
      "import { Session } from '@fairlead/protocol';\nnew Session();\n",
    ],
    ['the relay taking another door', 'relay/src/a.ts', "import { n } from '@fairlead/protocol/node';\nn();\n"],
    ['the web reaching the testbed', 'web/features/a.ts', "import { t } from '@fairlead/testbed';\nt();\n"],
    ['a file in no room', 'packages/protocol/src/attic/a.ts', 'const a = 1;\na;\n'],
  ])('imports: %s', (_title, path, text) => {
    expect(rules({ [path]: text })).toEqual(['imports']);
  });

  it.each([
    ['async', 'const f = async () => 1;\nf;\n'],
    ['await', 'await g();\n'],
    ['for await', 'for await (const x of y) x;\n'],
    ['Promise in a type', 'let p: Promise<void>;\np;\n'],
  ])('purity: %s in a pure file', (_title, text) => {
    expect(rules({ [`${CORE}/wsman/a.ts`]: text })).toEqual(['purity']);
  });

  it.each(['Buffer.from([]);', 'console.log(1);', 'Date.now();', 'Math.random();', 'process.exit();'])(
    'globals: %s in the core',
    (statement) => {
      expect(rules({ [`${CORE}/http/a.ts`]: `${statement}\n` })).toEqual(['globals']);
      expect(rules({ 'relay/src/a.ts': `${statement}\n` })).toEqual([]);
    },
  );

  it('sizes: long files, functions, generators and components, each at its own limit', () => {
    const lines = (count: number): string => 'g();\n'.repeat(count);
    const red = (path: string, text: string): boolean => rules({ [path]: text }).includes('sizes');
    expect(red('relay/src/a.ts', lines(400))).toBe(false);
    expect(red('relay/src/a.ts', lines(401))).toBe(true);
    expect(red('relay/src/a.test.ts', lines(401))).toBe(false);
    expect(red('relay/src/a.ts', `function f() {\n${lines(78)}}\nf();\n`)).toBe(false);
    expect(red('relay/src/a.ts', `function f() {\n${lines(79)}}\nf();\n`)).toBe(true);
    expect(red('relay/src/a.ts', `class A {\nm() {\n${lines(79)}}\n}\nnew A();\n`)).toBe(true);
    expect(red('relay/src/a.ts', `function* f() {\n${lines(118)}}\nf();\n`)).toBe(false);
    expect(red('relay/src/a.ts', `function* f() {\n${lines(119)}}\nf();\n`)).toBe(true);
    expect(red('web/app/a.tsx', `const A = () => {\n${lines(147)}return <p />;\n};\nA;\n`)).toBe(false);
    expect(red('web/app/a.tsx', `const A = () => {\n${lines(148)}return <p />;\n};\nA;\n`)).toBe(true);
  });

  it.each([
    ['constant', 'export const a = 1;\n'],
    ['function', '/* plain */\nexport function a() {}\n'],
    ['type', '/** of another */\nconst b = 1;\nb;\nexport type A = 1;\n'],
    ['interface', '// line\nexport interface A {}\n'],
    ['class', 'export class A {}\n'],
    ['default', 'export default 1;\n'],
  ])('doc-comments: an exported %s without one', (_title, text) => {
    expect(rules({ 'relay/src/a.ts': text })).toEqual(['doc-comments']);
  });

  it.each([
    ['types', 'relay/src/a.ts', 'let a: any;\na;\n'],
    ['types', 'relay/src/a.ts', `g(1 as ${'unknown'} as string);\n`],
    ['tests', 'relay/src/a.test.ts', 'it.skip("x", () => 1);\n'],
    ['tests', 'relay/src/a.test.ts', 'describe.only("x", () => 1);\n'],
    ['lint', 'relay/src/a.ts', `// ${'biome-'}ignore lint: because\n`],
    ['lint', 'relay/src/a.ts', `// ${'@ts-'}expect-error\n`],
    ['unfinished', 'relay/src/a.ts', `// ${'TO'}DO later\n`],
    ['paths', 'docs/a.md', `see ${'/wo'}rk/notes\n`],
    ['paths', 'e2e/peers/a.sh', `cd ${'../sha'}red/x\n`],
    ['names', 'relay/src/string-utils.ts', 'g();\n'],
    ['names', 'relay/src/handler.ts', 'g();\n'],
  ])('%s: planted in %s', (rule, path, text) => {
    expect(rules({ [path]: text })).toEqual([rule]);
  });
});

describe('check-house goes red when an error code', () => {
  const whole = {
    locales: new Map<string, unknown>([
      ['web/messages/en.json', { errors: { relay: { lost: { message: 'Lost.', hint: 'Retry.' } } } }],
      ['web/messages/de.json', { errors: { relay: { lost: { message: 'Weg.', hint: 'Nochmal.' } } } }],
    ]),
    tests: new Map([['a.test.ts', "expect(error).toMatchObject({ code: 'relay.lost' })"]]),
    document: '### `relay.lost`\n',
    expectedDocument: '### `relay.lost`\n',
  };
  const messages = (sources: typeof whole): string[] =>
    checkErrorTexts(sources, ['relay.lost']).map(({ file, message }) => `${file}: ${message}`);

  it('lacks nothing: green', () => {
    expect(messages(whole)).toEqual([]);
  });

  it('lacks a sentence or a hint in one language', () => {
    const locales = new Map(whole.locales).set('web/messages/de.json', {
      errors: { relay: { lost: { message: ' ' } } },
    });
    expect(messages({ ...whole, locales })).toEqual([
      'web/messages/de.json: errors.relay.lost.message is missing',
      'web/messages/de.json: errors.relay.lost.hint is missing',
    ]);
  });

  it('is named by no test; a longer code does not count', () => {
    const tests = new Map([['a.test.ts', "code: 'relay.lost-and-found'"]]);
    expect(messages({ ...whole, tests })).toEqual(['packages/protocol/src/errors.ts: no test names relay.lost']);
  });

  it('has no paragraph, or the document is stale', () => {
    expect(messages({ ...whole, document: '' })).toEqual([
      'docs/errors.md: relay.lost has no paragraph',
      'docs/errors.md: is stale: run node scripts/errors-doc.ts',
    ]);
  });
});

describe('check-house goes red when a rule of the seed', () => {
  const names = Array.from({ length: 34 }, (_, index) => `R${index + 1}`);
  const document = names.map((name) => `| ${name}   | what | kept | shown |`).join('\n');
  const titled = (title: string): string => `it.each([1])('${title}: works', () => {});\n`;
  const messages = (text: string, titles: readonly string[], code: Readonly<Record<string, string>> = {}): string[] =>
    checkProxyRules(text, new Map([['a.test.ts', titles.join('')]]), new Map(Object.entries(code))).map(
      ({ message }) => message,
    );

  it('has lost nothing: green, also where several share a title or a table has it', () => {
    expect(messages(document, [titled(names.join(', '))])).toEqual([]);
    expect(messages(document, [`it.each([\n  [1],\n])(\n  '${names.join(' ')}',\n  () => {},\n);`])).toEqual([]);
    expect(checkProxyRules(null, new Map(), new Map())).toEqual([]);
  });

  it('has lost its last test; a longer number, a comment or a value does not count', () => {
    const others = names.filter((name) => name !== 'R3').map(titled);
    expect(messages(document, others)).toEqual(['no title of a test carries R3']);
    expect(messages(document, [...others, "// R3\nconst a = 'R3';\nf('x', 'R3');\n"])).toEqual([
      'no title of a test carries R3',
    ]);
  });

  it('has lost its row', () => {
    expect(messages(document.replace('| R12 ', '| R99 '), names.map(titled))).toEqual(['R12 has no row']);
  });

  it('names a file that is not there, or quotes a title that its file does not have', () => {
    const rows = [
      '| R1 | what | `road/a.ts`, `relay/src/b.ts` | `road/a.test.ts` ("opens once", "and no …"), `interop/c.test.ts` |',
      '`road/gone.ts` is no matter of a row',
    ].join('\n');
    const whole = {
      'packages/protocol/src/road/a.ts': '',
      'relay/src/b.ts': '',
      'packages/protocol/src/road/a.test.ts': "it('R1: opens once, and no more', () => {});",
      'e2e/interop/c.test.ts': '',
    };
    const text = document.replace(/^\| R1 .*$/m, rows);
    expect(messages(text, names.map(titled), whole)).toEqual([]);
    const renamed = { 'packages/protocol/src/road/a.test.ts': "  // opens once\nit('R1: and no more');" };
    expect(messages(text, names.map(titled), { ...whole, ...renamed })).toEqual([
      'road/a.test.ts has no title with “opens once”',
    ]);
    const { 'relay/src/b.ts': _, ...fewer } = whole;
    expect(messages(text, names.map(titled), fewer)).toEqual(['there is no relay/src/b.ts']);
  });
});
