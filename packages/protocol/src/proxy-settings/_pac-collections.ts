import { callValue } from './_pac-call.ts';
import type { Machine } from './_pac-machine.ts';
import { itemsOf } from './_pac-members.ts';
import { Collection, List, type NativeCode, throwError, type Value } from './_pac-values.ts';

function method(code: (m: Machine, all: Collection, args: readonly Value[]) => Value): NativeCode {
  return (m, self, args) => {
    if (!(self instanceof Collection)) return throwError('TypeError', 'this is no Map or Set');
    lookUp(m, args[0]);
    return code(m, self, args);
  };
}

/** A key is hashed, and compared with its like, unit by unit. */
function lookUp(m: Machine, key: Value): void {
  m.step(1 + (typeof key === 'string' ? key.length >> 5 : 0));
}

function put(m: Machine, all: Collection, key: Value, value: Value): Collection {
  lookUp(m, key);
  m.hold(64);
  all.entries.set(key, value);
  return all;
}

/** What a Map or a Set can do. */
export const COLLECTION_METHODS: ReadonlyMap<string, NativeCode> = new Map([
  ['has', method((_m, all, args) => all.entries.has(args[0]))],
  ['get', method((_m, all, args) => all.entries.get(args[0]))],
  ['set', method((m, all, args) => put(m, all, args[0], args[1]))],
  ['add', method((m, all, args) => put(m, all, args[0], args[0]))],
  ['delete', method((_m, all, args) => all.entries.delete(args[0]))],
  [
    'forEach',
    method((m, all, args) => {
      for (const [key, value] of [...all.entries]) callValue(m, args[0], args[1], [value, key, all]);
      return undefined;
    }),
  ],
]);

/** `new Map(pairs)` and `new Set(items)`. */
export function makeCollection(kind: 'map' | 'set'): NativeCode {
  return (m, _self, args) => {
    const all = new Collection(kind);
    const items = args[0] === undefined || args[0] === null ? [] : itemsOf(m, args[0]);
    for (const item of items) {
      if (kind === 'set') put(m, all, item, item);
      else if (item instanceof List) put(m, all, item.items[0], item.items[1]);
      else throwError('TypeError', 'a Map is made of pairs');
    }
    return all;
  };
}
