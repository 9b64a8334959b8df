import { toIndex, toNumber, toText } from './_pac-convert.ts';
import type { Machine } from './_pac-machine.ts';
import { withStatics } from './_pac-objects.ts';
import { Moment, Native, type NativeCode, throwError, type Value } from './_pac-values.ts';

const READERS = [
  ...['getDate', 'getDay', 'getFullYear', 'getHours', 'getMilliseconds', 'getMinutes', 'getMonth', 'getSeconds'],
  ...['getTime', 'getTimezoneOffset', 'getUTCDate', 'getUTCDay', 'getUTCFullYear', 'getUTCHours', 'getUTCMilliseconds'],
  ...['getUTCMinutes', 'getUTCMonth', 'getUTCSeconds', 'valueOf'],
] as const;
type Reader = 'getDate' | 'getTime';
const WRITERS = [
  'setDate',
  'setFullYear',
  'setHours',
  'setMilliseconds',
  'setMinutes',
  'setMonth',
  'setSeconds',
  'setTime',
];
type Writer = 'setDate' | 'setTime';
const TEXTS = ['toString', 'toDateString', 'toTimeString', 'toUTCString', 'toISOString'] as const;

function method(code: (m: Machine, moment: Moment, args: readonly Value[]) => Value): NativeCode {
  return (m, self, args) => {
    if (!(self instanceof Moment)) return throwError('TypeError', 'this is no Date');
    return code(m, self, args);
  };
}

/** What a Date can do. The lists above name the only methods of the host's that are ever called. */
export const DATE_METHODS: ReadonlyMap<string, NativeCode> = new Map<string, NativeCode>([
  ...READERS.map((name) => [name, method((_m, { date }) => date[name as Reader]())] as const),
  ...TEXTS.map(
    (name) =>
      [
        name,
        method((m, { date }) => {
          if (Number.isNaN(date.getTime()) && name === 'toISOString') throwError('RangeError', 'Invalid time value');
          return m.text(date[name]());
        }),
      ] as const,
  ),
  ...WRITERS.map(
    (name) =>
      [
        name,
        method((m, { date }, args) => {
          const numbers = args.slice(0, 4).map((arg) => toNumber(m, arg));
          return (date[name as Writer] as (...parts: number[]) => number).apply(
            date,
            numbers.length > 0 ? numbers : [Number.NaN],
          );
        }),
      ] as const,
  ),
]);

/** `Date`, whose now is the clock that was handed in. */
export function makeDateGlobal(): Native {
  const make: NativeCode = (m, _self, args) => {
    m.hold(64);
    if (args.length === 0) return new Moment(new Date(m.options.nowMs));
    const [first] = args;
    if (first instanceof Moment) return new Moment(new Date(first.date.getTime()));
    if (args.length === 1)
      return new Moment(new Date(typeof first === 'string' ? first.slice(0, 100) : toNumber(m, first)));
    const [year = Number.NaN, month = 0, day = 1, ...rest] = args.slice(0, 7).map((arg) => toNumber(m, arg));
    return new Moment(new Date(year, month, day, rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0, rest[3] ?? 0));
  };
  const code: NativeCode = (m) => m.text(String(new Date(m.options.nowMs)));
  return withStatics(new Native('Date', code, make), {
    now: (m) => m.options.nowMs,
    parse: (m, _self, args) => Date.parse(toText(m, args[0]).slice(0, 100)),
  });
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** The moment as its parts, here or at Greenwich, and the arguments without the "GMT" that chose. */
function moment(m: Machine, args: readonly Value[]) {
  const date = new Date(m.options.nowMs);
  const isGmt = args.at(-1) === 'GMT';
  const given = isGmt ? args.slice(0, -1) : args;
  return {
    given,
    day: isGmt ? date.getUTCDay() : date.getDay(),
    date: isGmt ? date.getUTCDate() : date.getDate(),
    month: isGmt ? date.getUTCMonth() : date.getMonth(),
    year: isGmt ? date.getUTCFullYear() : date.getFullYear(),
    seconds: isGmt
      ? date.getUTCHours() * 3600 + date.getUTCMinutes() * 60 + date.getUTCSeconds()
      : date.getHours() * 3600 + date.getMinutes() * 60 + date.getSeconds(),
  };
}

/** Whether a point lies between two, going round the end where the second comes first. */
function isBetween(low: number, at: number, high: number): boolean {
  return low <= high ? low <= at && at <= high : low <= at || at <= high;
}

/** `weekdayRange("MON", "FRI", "GMT")`. */
export const weekdayRange: NativeCode = (m, _self, args) => {
  const { given, day } = moment(m, args);
  const low = DAYS.indexOf(toText(m, given[0]));
  const high = given.length < 2 ? low : DAYS.indexOf(toText(m, given[1]));
  return low >= 0 && high >= 0 && isBetween(low, day, high);
};

/**
 * `dateRange(1, "JUN", 1995, 15, "AUG", 1995, "GMT")` and every shorter form: days, months, years or several of them.
 * Compared as years before months before days; ranges without a year go round its end.
 */
export const dateRange: NativeCode = (m, _self, args) => {
  const now = moment(m, args);
  const { given } = now;
  if (given.length === 0) return false;
  const half = given.length === 1 ? 1 : given.length >> 1;
  const low = datePoint(m, given.slice(0, half), now);
  const high = given.length === 1 ? low : datePoint(m, given.slice(half, 2 * half), now);
  return (
    low !== null && high !== null && isBetween(low.value, low.now, low.value === high.value ? low.value : high.value)
  );
};

function datePoint(
  m: Machine,
  parts: readonly Value[],
  now: { date: number; month: number; year: number },
): { value: number; now: number } | null {
  let [value, at] = [0, 0];
  const put = (part: number, today: number, weight: number): void => {
    value += part * weight;
    at += today * weight;
  };
  for (const part of parts) {
    const month = typeof part === 'string' ? MONTHS.indexOf(part.toUpperCase()) : -1;
    const number = month >= 0 ? 0 : toIndex(m, part, -1);
    if (month >= 0) put(month, now.month, 32);
    else if (!(number > 0)) return null;
    else if (number < 32) put(number, now.date, 1);
    else put(number, now.year, 32 * 12);
  }
  return { value, now: at };
}

/**
 * `timeRange(9, 17)`: hours, hours and minutes, or with seconds. One hour means the whole of it, and so does the last
 * of two, which browsers do not let go round midnight; with minutes it does.
 */
export const timeRange: NativeCode = (m, _self, args) => {
  const { given, seconds } = moment(m, args);
  const numbers = given.map((part) => toIndex(m, part, -1));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = numbers;
  const hour = Math.floor(seconds / 3600);
  if (numbers.some((number) => number < 0)) return false;
  if (numbers.length === 1) return hour === a;
  if (numbers.length === 2) return a <= hour && hour <= b;
  if (numbers.length === 4) return isBetween(a * 3600 + b * 60, seconds, c * 3600 + d * 60 + 59);
  return numbers.length === 6 && isBetween(a * 3600 + b * 60 + c, seconds, d * 3600 + e * 60 + f);
};
