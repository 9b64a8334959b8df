import { callValue } from './_pac-call.ts';
import { toIndex, toNumber, toText } from './_pac-convert.ts';
import type { Machine } from './_pac-machine.ts';
import { setLength } from './_pac-members.ts';
import { isSame, isTruthy, List, type NativeCode, throwError, type Value } from './_pac-values.ts';

type ListMethod = (m: Machine, list: List, args: readonly Value[]) => Value;

/** These touch the end only, however long the array is. */
const AT_THE_END: ReadonlySet<string> = new Set(['push', 'pop', 'at']);

function method(name: string, code: ListMethod): NativeCode {
  const isShort = AT_THE_END.has(name);
  return (m, self, args) => {
    if (!(self instanceof List)) return throwError('TypeError', 'this is no array');
    m.step(isShort ? 1 : 1 + (self.items.length >> 2));
    return code(m, self, args);
  };
}

function made(m: Machine, items: Value[]): List {
  m.hold(64 + 16 * items.length);
  return new List(items);
}

function place(m: Machine, value: Value, length: number, whenAbsent: number): number {
  const at = toIndex(m, value, whenAbsent);
  return Math.min(length, Math.max(0, at < 0 ? length + at : at));
}

/** What is looked for in an array, and its cost: a text is compared unit by unit with each text as long as it is. */
function sought(m: Machine, list: List, args: readonly Value[]): Value {
  const [what] = args;
  if (typeof what !== 'string' || what.length < 32) return what;
  const isAsLong = (item: Value): boolean => typeof item === 'string' && item.length === what.length;
  m.step(list.items.filter(isAsLong).length * (what.length >> 5));
  return what;
}

/** Calls a function for each element until it says stop; the length is looked at each time, as scripts may change it. */
function each(
  m: Machine,
  list: List,
  args: readonly Value[],
  visit: (result: Value, item: Value, at: number) => boolean,
) {
  for (let at = 0; at < list.items.length; at++) {
    const item = list.items[at];
    if (visit(callValue(m, args[0], args[1], [item, at, list]), item, at)) return;
  }
}

const TABLE: Readonly<Record<string, ListMethod>> = {
  push: (m, list, args) => {
    const from = list.items.length;
    setLength(m, list, from + args.length);
    for (const [i, arg] of args.entries()) list.items[from + i] = arg;
    return list.items.length;
  },
  pop: (_m, list) => list.items.pop(),
  shift: (_m, list) => list.items.shift(),
  unshift: (m, list, args) => {
    m.hold(16 * args.length);
    setLength(m, list, list.items.length);
    return list.items.unshift(...args);
  },
  slice: (m, list, args) => {
    const { length } = list.items;
    return made(m, list.items.slice(place(m, args[0], length, 0), place(m, args[1], length, length)));
  },
  splice: (m, list, args) => {
    const { length } = list.items;
    const from = place(m, args[0], length, 0);
    const count = args.length === 0 ? 0 : args.length === 1 ? length - from : Math.max(0, toIndex(m, args[1], 0));
    m.hold(16 * args.length);
    return made(m, list.items.splice(from, Math.min(count, length - from), ...args.slice(2)));
  },
  concat: (m, list, args) => {
    const items = [...list.items];
    for (const arg of args) {
      if (arg instanceof List) {
        m.step(arg.items.length);
        m.hold(16 * arg.items.length);
        for (const item of arg.items) items.push(item);
      } else items.push(arg);
    }
    return made(m, items);
  },
  join: (m, list, args) => {
    const between = args[0] === undefined ? ',' : toText(m, args[0]);
    const parts = list.items.map((item) => (item === null || item === undefined ? '' : toText(m, item)));
    return m.join(parts, between);
  },
  reverse: (_m, list) => {
    list.items.reverse();
    return list;
  },
  indexOf: (m, list, args) => list.items.indexOf(sought(m, list, args), place(m, args[1], list.items.length, 0)),
  lastIndexOf: (m, list, args) => list.items.lastIndexOf(sought(m, list, args)),
  includes: (m, list, args) => list.items.includes(sought(m, list, args)),
  at: (m, list, args) => list.items.at(toIndex(m, args[0], 0)),
  fill: (_m, list, args) => {
    list.items.fill(args[0]);
    return list;
  },
  forEach: (m, list, args) => {
    each(m, list, args, () => false);
    return undefined;
  },
  map: (m, list, args) => {
    const items: Value[] = [];
    each(m, list, args, (result) => {
      items.push(result);
      return false;
    });
    return made(m, items);
  },
  filter: (m, list, args) => {
    const items: Value[] = [];
    each(m, list, args, (result, item) => {
      if (isTruthy(result)) items.push(item);
      return false;
    });
    return made(m, items);
  },
  some: (m, list, args) => {
    let isFound = false;
    each(m, list, args, (result) => {
      isFound = isTruthy(result);
      return isFound;
    });
    return isFound;
  },
  every: (m, list, args) => {
    let areAll = true;
    each(m, list, args, (result) => {
      areAll = isTruthy(result);
      return !areAll;
    });
    return areAll;
  },
  find: (m, list, args) => {
    let found: Value;
    each(m, list, args, (result, item) => {
      if (isTruthy(result)) found = item;
      return isTruthy(result);
    });
    return found;
  },
  findIndex: (m, list, args) => {
    let found = -1;
    each(m, list, args, (result, _item, at) => {
      if (isTruthy(result)) found = at;
      return isTruthy(result);
    });
    return found;
  },
  reduce: (m, list, args) => {
    let from = 0;
    let value = args[1];
    if (args.length < 2) {
      if (list.items.length === 0) throwError('TypeError', 'an empty array has nothing to begin with');
      value = list.items[0];
      from = 1;
    }
    for (let at = from; at < list.items.length; at++) {
      value = callValue(m, args[0], undefined, [value, list.items[at], at, list]);
    }
    return value;
  },
  sort: (m, list, args) => {
    const [compare] = args;
    m.step(list.items.length * 4);
    const key = (value: Value): string => toText(m, value);
    list.items.sort((a, b) => {
      if (compare !== undefined) return toNumber(m, callValue(m, compare, undefined, [a, b])) || 0;
      const [x, y] = [key(a), key(b)];
      m.step(1 + (Math.min(x.length, y.length) >> 5));
      return isSame(m, x, y) ? 0 : x < y ? -1 : 1;
    });
    return list;
  },
};

/** What every array can do. */
export const ARRAY_METHODS: ReadonlyMap<string, NativeCode> = new Map(
  Object.entries(TABLE).map(([name, code]) => [name, method(name, code)] as const),
);
