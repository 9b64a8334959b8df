import { callValue } from './_pac-call.ts';
import { makeCollection } from './_pac-collections.ts';
import { toIndex, toNumber, toText } from './_pac-convert.ts';
import { dateRange, makeDateGlobal, timeRange, weekdayRange } from './_pac-dates.ts';
import { HOST_FUNCTIONS } from './_pac-host.ts';
import type { Machine } from './_pac-machine.ts';
import { makeArrayGlobal, makeErrorGlobal, makeMath, makeObjectGlobal, withStatics } from './_pac-objects.ts';
import { makePattern } from './_pac-regex.ts';
import { Scope } from './_pac-scope.ts';
import { isTruthy, Native, type NativeCode, Pattern, type Value } from './_pac-values.ts';

/** Everything a script finds when it begins: made anew for each run, so that none leaves anything to the next. */
export function makeGlobalScope(): Scope {
  const scope = new Scope(null, true);
  const define = (name: string, value: Value): void => scope.define(name, value);
  for (const [name, code] of Object.entries(FUNCTIONS)) define(name, new Native(name, code));
  for (const [name, code] of Object.entries(HOST_FUNCTIONS)) define(name, new Native(name, code));
  define('NaN', Number.NaN);
  define('Infinity', Number.POSITIVE_INFINITY);
  define('Math', makeMath());
  define('Object', makeObjectGlobal());
  define('Array', makeArrayGlobal());
  define('Date', makeDateGlobal());
  for (const name of ['Error', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'])
    define(name, makeErrorGlobal(name));
  define('String', makeStringGlobal());
  define('Number', makeNumberGlobal());
  define('Boolean', new Native('Boolean', (_m, _self, args) => isTruthy(args[0])));
  define('RegExp', new Native('RegExp', makeRegExp, makeRegExp));
  define('Map', new Native('Map', noCall, makeCollection('map')));
  define('Set', new Native('Set', noCall, makeCollection('set')));
  return scope;
}

const noCall: NativeCode = (m) => callValue(m, undefined, undefined, []);

const FUNCTIONS: Readonly<Record<string, NativeCode>> = {
  weekdayRange,
  dateRange,
  timeRange,
  isNaN: (m, _self, args) => Number.isNaN(toNumber(m, args[0])),
  isFinite: (m, _self, args) => Number.isFinite(toNumber(m, args[0])),
  parseFloat: (m, _self, args) => Number.parseFloat(numeral(m, args[0])),
  parseInt: (m, _self, args) => Number.parseInt(numeral(m, args[0]), toIndex(m, args[1], 0)),
};

/** What a number is read from; no number is longer. */
function numeral(m: Machine, value: Value): string {
  return toText(m, value).slice(0, 1000);
}

const makeRegExp: NativeCode = (m, _self, args) => {
  const flags = args[1] === undefined ? '' : toText(m, args[1]);
  const [from] = args;
  if (from instanceof Pattern) return makePattern(m, from.source, args[1] === undefined ? from.flags : flags);
  return makePattern(m, from === undefined ? '(?:)' : toText(m, from), flags);
};

function makeStringGlobal(): Native {
  return withStatics(new Native('String', (m, _self, args) => (args.length === 0 ? '' : toText(m, args[0]))), {
    fromCharCode: (m, _self, args) => m.text(String.fromCharCode(...args.map((arg) => toNumber(m, arg)))),
  });
}

function makeNumberGlobal(): Native {
  const number = withStatics(new Native('Number', (m, _self, args) => (args.length === 0 ? 0 : toNumber(m, args[0]))), {
    isInteger: (_m, _self, args) => Number.isInteger(args[0]),
    isNaN: (_m, _self, args) => Number.isNaN(args[0]),
    isFinite: (_m, _self, args) => Number.isFinite(args[0]),
    parseInt: FUNCTIONS['parseInt'] as NativeCode,
    parseFloat: FUNCTIONS['parseFloat'] as NativeCode,
  });
  for (const name of ['MAX_SAFE_INTEGER', 'MIN_SAFE_INTEGER', 'MAX_VALUE', 'MIN_VALUE'] as const) {
    number.props.set(name, Number[name]);
  }
  return number;
}
