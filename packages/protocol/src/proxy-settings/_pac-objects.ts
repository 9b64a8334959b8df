import { fail } from '../errors.ts';
import { callValue } from './_pac-call.ts';
import { toIndex, toKey, toNumber, toText } from './_pac-convert.ts';
import { MAX_CHAIN, type Machine } from './_pac-machine.ts';
import { getMember, hasOwn, itemsOf, keysOf, setMember } from './_pac-members.ts';
import { errorThing, List, Native, type NativeCode, Thing, throwError, type Value } from './_pac-values.ts';

/** What every object can do. */
export const OBJECT_METHODS: ReadonlyMap<string, NativeCode> = new Map<string, NativeCode>([
  ['hasOwnProperty', (m, self, args) => self instanceof Thing && hasOwn(self, toKey(m, args[0]))],
  ['toString', (m, self) => toText(m, self)],
  ['valueOf', (_m, self) => self],
]);

/** What every function can do. */
export const FUNCTION_METHODS: ReadonlyMap<string, NativeCode> = new Map<string, NativeCode>([
  ['call', (m, self, args) => callValue(m, self, args[0], args.slice(1))],
  ['apply', (m, self, args) => callValue(m, self, args[0], isNothing(args[1]) ? [] : itemsOf(m, args[1]))],
  [
    'bind',
    (m, self, args) => {
      m.hold(128);
      const [bound, ...first] = args;
      return new Native('bound', (inner, _self, rest) => callValue(inner, self, bound, [...first, ...rest]));
    },
  ],
]);

/** What numbers and booleans can do. */
export const NUMBER_METHODS: ReadonlyMap<string, NativeCode> = new Map<string, NativeCode>([
  [
    'toString',
    (m, self, args) => {
      const radix = toIndex(m, args[0], 10);
      if (radix < 2 || radix > 36) throwError('RangeError', 'toString() radix must be between 2 and 36');
      return m.text(typeof self === 'number' ? self.toString(radix) : toText(m, self));
    },
  ],
  [
    'toFixed',
    (m, self, args) => {
      const digits = toIndex(m, args[0], 0);
      if (digits < 0 || digits > 100) throwError('RangeError', 'toFixed() digits must be between 0 and 100');
      return m.text(toNumber(m, self).toFixed(digits));
    },
  ],
  ['valueOf', (_m, self) => self],
]);

function isNothing(value: Value): value is null | undefined {
  return value === null || value === undefined;
}

/** `Object`, and the few things of it that scripts use. */
export function makeObjectGlobal(): Native {
  const make: NativeCode = (_m, _self, args) => (args[0] instanceof Thing ? args[0] : new Thing());
  const statics: Record<string, NativeCode> = {
    keys: (m, _self, args) => new List(keysOf(m, args[0], false)),
    values: (m, _self, args) => new List(keysOf(m, args[0], false).map((key) => getMember(m, args[0], key))),
    entries: (m, _self, args) =>
      new List(keysOf(m, args[0], false).map((key) => new List([key, getMember(m, args[0], key)]))),
    assign: (m, _self, [target, ...sources]) => {
      for (const source of sources) {
        for (const key of keysOf(m, source, false)) setMember(m, target, key, getMember(m, source, key));
      }
      return target;
    },
    // Nothing is frozen really; a script that freezes its tables does not mean to change them.
    freeze: (_m, _self, args) => args[0],
    create: (m, _self, args) => {
      m.hold(64);
      if (args[0] !== null && !(args[0] instanceof Thing)) throwError('TypeError', 'a prototype is an object or null');
      if (args[0] !== null && args[0].chainLength >= MAX_CHAIN) fail('pac.too-long', { limit: 'depth' });
      return new Thing(args[0]);
    },
  };
  return withStatics(new Native('Object', make, make), statics);
}

/** `Array`. */
export function makeArrayGlobal(): Native {
  const make: NativeCode = (m, _self, args) => {
    const list = new List([]);
    if (args.length === 1 && typeof args[0] === 'number') setMember(m, list, 'length', args[0]);
    else for (const [at, arg] of args.entries()) setMember(m, list, String(at), arg);
    return list;
  };
  return withStatics(new Native('Array', make, make), {
    isArray: (_m, _self, args) => args[0] instanceof List,
    from: (m, _self, args) => {
      const items = itemsOf(m, args[0]);
      m.hold(16 * items.length);
      return new List(
        args[1] === undefined ? [...items] : items.map((item, at) => callValue(m, args[1], undefined, [item, at])),
      );
    },
    of: (m, _self, args) => {
      m.hold(16 * args.length);
      return new List([...args]);
    },
  });
}

/** `Math`, with a `random` that comes from the clock. */
export function makeMath(): Thing {
  const math = new Thing();
  for (const name of ['PI', 'E', 'LN2', 'LN10', 'LOG2E', 'LOG10E', 'SQRT2'] as const) math.props.set(name, Math[name]);
  const one = [
    'abs',
    'ceil',
    'floor',
    'round',
    'trunc',
    'sign',
    'sqrt',
    'log',
    'log2',
    'log10',
    'exp',
    'sin',
    'cos',
    'tan',
  ] as const;
  for (const name of one) math.props.set(name, new Native(name, (m, _self, args) => Math[name](toNumber(m, args[0]))));
  const many = ['min', 'max'] as const;
  for (const name of many) {
    math.props.set(name, new Native(name, (m, _self, args) => Math[name](...args.map((arg) => toNumber(m, arg)))));
  }
  math.props.set('pow', new Native('pow', (m, _self, args) => toNumber(m, args[0]) ** toNumber(m, args[1])));
  math.props.set('random', new Native('random', (m: Machine) => m.random()));
  return math;
}

/** `Error` and its like. */
export function makeErrorGlobal(name: string): Native {
  const make: NativeCode = (m, _self, args) => {
    m.hold(128);
    return errorThing(name, args[0] === undefined ? '' : toText(m, args[0]));
  };
  return new Native(name, make, make);
}

/** Puts functions onto a function. */
export function withStatics(native: Native, statics: Readonly<Record<string, NativeCode>>): Native {
  for (const [name, code] of Object.entries(statics)) native.props.set(name, new Native(name, code));
  return native;
}
