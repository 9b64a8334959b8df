import { fail } from '../errors.ts';
import { ARRAY_METHODS } from './_pac-arrays.ts';
import { COLLECTION_METHODS } from './_pac-collections.ts';
import { toNumber } from './_pac-convert.ts';
import { DATE_METHODS } from './_pac-dates.ts';
import { MAX_ITEMS, type Machine } from './_pac-machine.ts';
import { FUNCTION_METHODS, NUMBER_METHODS, OBJECT_METHODS } from './_pac-objects.ts';
import { REGEX_METHODS } from './_pac-regex.ts';
import { STRING_METHODS } from './_pac-strings.ts';
import {
  Closure,
  Collection,
  List,
  Moment,
  Native,
  type NativeCode,
  Pattern,
  Thing,
  throwError,
  typeName,
  type Value,
} from './_pac-values.ts';

/** Names that lead out of a sandbox elsewhere. Here they lead nowhere; whoever asks for one is up to something. */
const NOT_GIVEN: ReadonlySet<string> = new Set([
  ...['__proto__', '__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__'],
  ...['constructor', 'caller', 'callee'],
]);

/** Reads a property. @throws TypeError of the script's world; pac.not-allowed */
export function getMember(m: Machine, base: Value, key: string): Value {
  m.step(base instanceof Thing ? base.chainLength >> 3 : 0);
  if (base === undefined || base === null) {
    throwError('TypeError', `${base} has no property "${key.slice(0, 50)}"`);
  }
  if (typeof base === 'string') {
    if (key === 'length') return base.length;
    const at = indexOfKey(key);
    if (at !== null) return at < base.length ? base.charAt(at) : undefined;
  } else if (base instanceof Thing) {
    const own = ownValue(base, key) ?? base.find(key);
    if (own !== null) return own.value;
  }
  const method = methodOf(base, key);
  if (method !== null) return new Native(key, method);
  if (NOT_GIVEN.has(key)) fail('pac.not-allowed', { what: key });
  if (base instanceof Closure && key === 'prototype' && base.node.type !== 'ArrowFunctionExpression') {
    const made = new Thing();
    base.props.set('prototype', made);
    return made;
  }
  return undefined;
}

/** A method that every value of a kind has; null when there is none, or the script has put its own there. */
export function methodOf(base: Value, key: string): NativeCode | null {
  if (typeof base === 'string') return STRING_METHODS.get(key) ?? null;
  if (typeof base === 'number' || typeof base === 'boolean') return NUMBER_METHODS.get(key) ?? null;
  if (!(base instanceof Thing)) return null;
  const ofKind =
    base instanceof List
      ? ARRAY_METHODS
      : base instanceof Pattern
        ? REGEX_METHODS
        : base instanceof Moment
          ? DATE_METHODS
          : base instanceof Collection
            ? COLLECTION_METHODS
            : base instanceof Closure || base instanceof Native
              ? FUNCTION_METHODS
              : null;
  return ofKind?.get(key) ?? OBJECT_METHODS.get(key) ?? null;
}

function ownValue(base: Thing, key: string): { value: Value } | null {
  if (base instanceof List) {
    if (key === 'length') return { value: base.items.length };
    const at = indexOfKey(key);
    if (at !== null) return { value: base.items[at] };
  } else if (base instanceof Pattern) {
    if (key === 'source' || key === 'flags' || key === 'lastIndex') return { value: base[key] };
    if (key === 'global') return { value: base.flags.includes('g') };
  } else if (base instanceof Collection) {
    if (key === 'size') return { value: base.entries.size };
  } else if (base instanceof Closure || base instanceof Native) {
    if (key === 'length') return { value: base instanceof Closure ? base.node.params.length : 0 };
    if (key === 'name' && !base.props.has('name')) {
      return { value: base instanceof Native ? base.name : (base.node.id?.name ?? '') };
    }
  }
  return null;
}

/** Whether an object itself has a property. */
export function hasOwn(base: Thing, key: string): boolean {
  if (base instanceof List) {
    const at = indexOfKey(key);
    if (at !== null) return at < base.items.length;
    if (key === 'length') return true;
  }
  return base.props.has(key);
}

/** Writes a property. On what is no object it goes nowhere, as in JavaScript. @throws pac.not-allowed, pac.too-long */
export function setMember(m: Machine, base: Value, key: string, value: Value): void {
  if (base === undefined || base === null) {
    throwError('TypeError', `${base} has no property "${key.slice(0, 50)}"`);
  }
  if (!(base instanceof Thing)) return;
  // A script may name its own constructor; what it may not is to reach for ours.
  if (NOT_GIVEN.has(key) && key !== 'constructor') fail('pac.not-allowed', { what: key });
  if (base instanceof List) {
    if (key === 'length') {
      setLength(m, base, toNumber(m, value));
      return;
    }
    const at = indexOfKey(key);
    if (at !== null) {
      if (at >= base.items.length) setLength(m, base, at + 1);
      base.items[at] = value;
      return;
    }
  }
  if (base instanceof Pattern && key === 'lastIndex') {
    base.lastIndex = Math.max(0, Math.trunc(toNumber(m, value)) || 0);
    return;
  }
  if (!base.props.has(key)) m.hold(64 + 2 * key.length);
  base.props.set(key, value);
}

/** Makes an array longer or shorter. @throws RangeError of the script's world; pac.too-long */
export function setLength(m: Machine, list: List, length: number): void {
  if (!Number.isInteger(length) || length < 0 || length > 4_294_967_295)
    throwError('RangeError', 'Invalid array length');
  if (length > MAX_ITEMS) fail('pac.too-long', { limit: 'memory' });
  const before = list.items.length;
  if (length <= before) {
    list.items.length = length;
    return;
  }
  m.step((length - before) >> 4);
  m.hold(16 * (length - before));
  for (let i = before; i < length; i++) list.items.push(undefined);
}

/** Takes a property away. */
export function deleteMember(m: Machine, base: Value, key: string): boolean {
  m.step();
  if (!(base instanceof Thing)) return true;
  const at = base instanceof List ? indexOfKey(key) : null;
  if (base instanceof List && at !== null) {
    if (at < base.items.length) base.items[at] = undefined;
    return true;
  }
  base.props.delete(key);
  return true;
}

/** The names that `for … in` goes through. */
export function keysOf(m: Machine, base: Value, withInherited: boolean): string[] {
  const keys = new Set<string>();
  const count = (length: number): void => {
    m.step(length);
    m.hold(24 * length);
  };
  const addIndexes = (length: number): void => {
    count(length);
    for (let i = 0; i < length; i++) keys.add(String(i));
  };
  if (typeof base === 'string') addIndexes(base.length);
  let at: Thing | null = base instanceof Thing ? base : null;
  while (at !== null) {
    if (at instanceof List) addIndexes(at.items.length);
    count(at.props.size + 1);
    for (const key of at.props.keys()) keys.add(key);
    at = withInherited ? at.proto : null;
  }
  return [...keys];
}

/** `name in object`. */
export function hasMember(base: Thing, key: string): boolean {
  return hasOwn(base, key) || base.find(key) !== null;
}

/** What `for … of` and `...` go through. @throws TypeError of the script's world */
export function itemsOf(m: Machine, value: Value): readonly Value[] {
  if (value instanceof List) {
    m.step(value.items.length >> 2);
    return [...value.items];
  }
  if (typeof value === 'string') {
    m.step(value.length);
    m.hold(16 * value.length);
    return [...value];
  }
  if (value instanceof Collection) {
    m.step(value.entries.size);
    m.hold(16 * value.entries.size);
    if (value.kind === 'set') return [...value.entries.keys()];
    return [...value.entries].map(([key, item]) => new List([key, item]));
  }
  return throwError('TypeError', `a ${typeName(value)} cannot be gone through`);
}

/** "0", "17": an index as JavaScript writes it; null for every other name. */
function indexOfKey(key: string): number | null {
  return /^(?:0|[1-9]\d{0,9})$/.test(key) ? Number(key) : null;
}
