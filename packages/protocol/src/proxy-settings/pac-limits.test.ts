import { describe, expect, it } from 'vitest';
import { Machine } from './_pac-machine.ts';
import { compileRegex } from './_regex-compile.ts';
import { findMatch } from './_regex-match.ts';
import { evaluatePac, type PacOptions } from './pac.ts';

const tooLong = (limit: string) => expect.objectContaining({ code: 'pac.too-long', details: { limit } });

function ask(statements: string, options: Partial<PacOptions> = {}, before = '') {
  const script = `${before}function FindProxyForURL(url, host) { ${statements}; return "DIRECT"; }`;
  return evaluatePac(script, { scheme: 'https', host: 'srv1', port: 5986 }, { nowMs: 0, ...options });
}

/** Counts what a method of the host's is called for while something runs. */
function watch(of: object, name: string, run: () => void): { calls: number; longest: number } {
  const original = Reflect.get(of, name) as (this: unknown, ...args: unknown[]) => unknown;
  const seen = { calls: 0, longest: 0 };
  Object.defineProperty(of, name, {
    ...{ configurable: true, writable: true },
    value(this: unknown, ...args: unknown[]): unknown {
      seen.calls += 1;
      const made = original.apply(this, args);
      if (typeof made === 'string') seen.longest = Math.max(seen.longest, made.length);
      return made;
    },
  });
  try {
    run();
  } finally {
    Object.defineProperty(of, name, { configurable: true, writable: true, value: original });
  }
  return seen;
}

describe('reading a PAC script', () => {
  const names = (count: number): string => Array.from({ length: count }, (_, at) => `_${at.toString(36)}`).join(',');

  it.each([
    ['let', (count: number) => `let ${names(count)};`],
    ['var before let', (count: number) => `var ${'a,'.repeat(count)}a; let ${names(count)};`],
    ['functions', (count: number) => names(count).replaceAll(/(\w+),?/g, 'function $1(){}')],
  ])('is counted where a name is looked for among all before it: %s', (_what, declare) => {
    expect(ask('', {}, declare(5_000)).raw).toBe('DIRECT');
    expect(() => ask('', {}, declare(30_000))).toThrow(tooLong('steps'));
  });

  it('takes what large companies have: thousands of functions, conditions and hosts', () => {
    const rules = Array.from(
      { length: 8_000 },
      (_, at) => `function rule${at}(host) { var name = host; return shExpMatch(name, "*.h${at}.example"); }`,
    );
    expect(ask('if (rule7999(host)) return "PROXY p:1"', {}, `${rules.join('\n')}\n`).raw).toBe('DIRECT');
  });
});

describe('a regular expression in a PAC script', () => {
  it('is charged for each group that a turn forgets', () => {
    const stepsWith = (groups: number): number => {
      let steps = 0;
      const meter = { step: (count = 1) => (steps += count), hold: () => undefined };
      const program = compileRegex(`(?:a|a){6}(?:z${'()'.repeat(groups)})*b`, '', meter);
      steps = 0;
      expect(findMatch(program, 'aaaaaac', 0, true, meter)).toBe(null);
      return steps;
    };
    // As many turns, none of which finds its z.
    expect(stepsWith(400)).toBeGreaterThan(5 * stepsWith(10));
  });

  it.each([
    ['what it compiles to', 'for (var i = 0; i < 20; i++) new RegExp("a{4900}" + i)'],
    ['each reading of a class', 'for (var i = 0; i < 20; i++) new RegExp("[acegikmoqsuwy]{400}" + i)'],
  ])('is charged for %s, not for its length', (_what, statements) => {
    expect(() => ask(statements, { maxBytes: 1_000_000 })).toThrow(tooLong('memory'));
  });
});

describe('memory is charged before it is taken', () => {
  const LIMIT = 1_000_000;

  it.each([
    ['concat', `var t = "x".repeat(50000); t.concat(${Array(100).fill('t').join(',')})`],
    ['join', 'var t = "x".repeat(50000), l = []; for (var i = 0; i < 100; i++) l.push(t); l.join("")'],
    ['a text between', 'var t = "x".repeat(50000), l = []; l.length = 100; l.join(t)'],
    ['an array as text', 'var t = "x".repeat(50000), l = []; for (var i = 0; i < 100; i++) l.push(t); l + ""'],
    ['replace', 'var t = "x".repeat(50000); t.replace("x", "$\'".repeat(100))'],
  ])('by %s', (_what, statements) => {
    const refused = () => expect(() => ask(statements, { maxBytes: LIMIT })).toThrow(tooLong('memory'));
    for (const [of, name] of [
      [Array.prototype, 'join'],
      [String.prototype, 'replace'],
    ] as const) {
      expect(watch(of, name, refused).longest).toBeLessThan(LIMIT / 2);
    }
  });

  it('by spreading arrays into an array or a call', () => {
    const spread = Array(40).fill('...l').join(',');
    for (const statements of [`[${spread}]`, `try { Math.max(${spread}) } catch (e) {} [${spread}]`]) {
      const { calls } = watch(Array.prototype, 'push', () => {
        expect(() => ask(`var l = []; l.length = 5000; ${statements}`, { maxBytes: 400_000 })).toThrow(
          tooLong('memory'),
        );
      });
      // 5,000 are the array itself, and some more than twice as many the arguments that a call may have.
      expect(calls).toBeLessThan(60_000);
    }
  });

  it.each([
    ['more elements than an array may have', 'var l = []; l.length = 150000; [...l, ...l]', 1e9],
    ['each piece of what is put in', '"x".replace("x", "$\'".repeat(100000))', 3_000_000],
  ])('%s: pac.too-long', (_what, statements, maxBytes) => {
    expect(() => ask(statements, { maxBytes })).toThrow(tooLong('memory'));
  });

  it('puts nothing together that is too long, and as Array.join does otherwise', () => {
    const machine = new Machine({ nowMs: 0, myIpAddress: null, resolve: () => null, maxSteps: 1000, maxBytes: 200 });
    expect(machine.join(['a', 'b', ''], ', ')).toBe('a, b, ');
    expect(machine.join([])).toBe('');
    const { calls } = watch(Array.prototype, 'join', () =>
      expect(() => machine.join(['x'.repeat(100)])).toThrow(tooLong('memory')),
    );
    expect(calls).toBe(0);
  });

  it('replaces as String.replace does', () => {
    const by = "[$&|$`|$'|$$|$1|$01|$2|$10|$9|$]";
    const asked = ask(`alert("abcd".replace(/(b)(c)/, ${JSON.stringify(by)}))`);
    expect(asked.alerts).toEqual(['abcd'.replace(/(b)(c)/, by)]);
  });
});

describe('what a PAC script says', () => {
  it('names no host that could be none, so that its questions are no place for prose', () => {
    const prose = '\\u001b]0;x\\u0007\\nfairlead: p.pac says DIRECT';
    const { asked } = ask(
      `dnsResolve("${prose}"); isResolvable("a b"); dnsResolve("fd00::z"); dnsResolve("ok-1.corp")`,
    );
    expect(asked).toEqual(['fd00::z', 'ok-1.corp']);
  });

  it('has no control characters left in its answer or its alerts', () => {
    const verdict = ask('alert("a\\u009b1m\\u202eb\\u200fc"); return "PROXY p:1;\\u001b[2J\\u202e DIRECT"');
    expect(verdict.raw).toBe('PROXY p:1; [2J  DIRECT');
    expect(verdict.alerts).toEqual(['a 1m b c']);
    expect(() => ask('throw "\\u009b2J\\u202ex"')).toThrow(
      expect.objectContaining({ details: { problem: 'the script failed:  2J x' } }),
    );
  });
});
