import { callValue } from './_pac-call.ts';
import type { Machine } from './_pac-machine.ts';
import { Closure, isCallable, isSame, List, Moment, Native, Pattern, Thing, type Value } from './_pac-values.ts';

/** Most elements that are joined when an array becomes text by itself. */
const MAX_DEPTH_OF_LISTS = 20;

/** A value as text, as `String(value)` has it. An object's own toString is asked. */
export function toText(m: Machine, value: Value, depth = 0): string {
  if (!(value instanceof Thing)) return String(value);
  const own = value.find('toString')?.value;
  if (isCallable(own)) {
    const text = callValue(m, own, value, []);
    return text instanceof Thing ? '[object Object]' : String(text);
  }
  if (value instanceof List) {
    if (depth >= MAX_DEPTH_OF_LISTS) return '';
    m.step(value.items.length);
    const parts = value.items.map((item) => (item === null || item === undefined ? '' : toText(m, item, depth + 1)));
    return m.join(parts, ',');
  }
  if (value instanceof Pattern) return `/${value.source}/${value.flags}`;
  if (value instanceof Moment) return String(value.date);
  if (value instanceof Native || value instanceof Closure) return 'function () { }';
  const name = value.find('name')?.value;
  if (typeof name === 'string' && value.props.has('message'))
    return m.text(`${name}: ${toText(m, value.props.get('message'), depth + 1)}`);
  return '[object Object]';
}

/** A value as a number, as `Number(value)` has it. */
export function toNumber(m: Machine, value: Value): number {
  if (typeof value === 'number') return value;
  const primitive = toPrimitive(m, value, 'number');
  if (typeof primitive === 'string') m.step(primitive.length >> 5);
  return Number(primitive);
}

/** A value as a whole number within bounds, for positions in texts and arrays. */
export function toIndex(m: Machine, value: Value, whenAbsent: number): number {
  if (value === undefined) return whenAbsent;
  const number = Math.trunc(toNumber(m, value));
  return Number.isNaN(number) ? 0 : number;
}

/** What operators work on. */
export function toPrimitive(m: Machine, value: Value, hint: 'number' | 'default' = 'default'): Exclude<Value, Thing> {
  if (!(value instanceof Thing)) return value;
  const own = value.find('valueOf')?.value;
  if (isCallable(own)) {
    const primitive = callValue(m, own, value, []);
    if (!(primitive instanceof Thing)) return primitive;
  }
  if (value instanceof Moment && hint === 'number') return value.date.getTime();
  return toText(m, value);
}

/** The name of a property. */
export function toKey(m: Machine, value: Value): string {
  const key = typeof value === 'string' ? value : toText(m, value);
  m.step(key.length >> 5);
  return key;
}

/** `==`. ECMA-262, section 7.2.13 */
export function isLooselyEqual(m: Machine, left: Value, right: Value): boolean {
  const [a, b] = [left, right];
  if (a === undefined || a === null || b === undefined || b === null) return (a ?? null) === (b ?? null);
  if (a instanceof Thing && b instanceof Thing) return a === b;
  const [x, y] = [toPrimitive(m, a), toPrimitive(m, b)];
  return typeof x === typeof y ? isSame(m, x, y) : toNumber(m, x) === toNumber(m, y);
}
