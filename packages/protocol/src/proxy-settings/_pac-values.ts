import type { Machine } from './_pac-machine.ts';
import type { FunctionNode } from './_pac-nodes.ts';
import type { Scope } from './_pac-scope.ts';
import type { RegexProgram } from './_regex-program.ts';

/**
 * What a PAC script works with. INVARIANT: no object of the host is ever a value. Properties are entries of a Map, so
 * a name such as `__proto__` or `constructor` leads nowhere but to what the script itself put there.
 */
export type Value = undefined | null | boolean | number | string | Thing;

/** A function of ours that a script may call. It charges what it costs before it works. */
export type NativeCode = (machine: Machine, self: Value, args: readonly Value[]) => Value;

/** An object. */
export class Thing {
  readonly props = new Map<string, Value>();
  readonly proto: Thing | null;
  /** How many objects stand behind this one. */
  readonly chainLength: number;

  constructor(proto: Thing | null = null) {
    this.proto = proto;
    this.chainLength = proto === null ? 0 : proto.chainLength + 1;
  }

  /** The value of a name, the objects behind this one included; `undefined` also when there is none. */
  find(name: string): { readonly value: Value } | null {
    return findIn(this, name);
  }
}

function findIn(start: Thing, name: string): { readonly value: Value } | null {
  let at: Thing | null = start;
  while (at !== null) {
    if (at.props.has(name)) return { value: at.props.get(name) };
    at = at.proto;
  }
  return null;
}

/** An array; without holes. */
export class List extends Thing {
  readonly items: Value[];

  constructor(items: Value[]) {
    super();
    this.items = items;
  }
}

/** A function of ours. */
export class Native extends Thing {
  readonly name: string;
  readonly code: NativeCode;
  /** What `new` does; null when it cannot be. */
  readonly make: NativeCode | null;

  constructor(name: string, code: NativeCode, make: NativeCode | null = null) {
    super();
    this.name = name;
    this.code = code;
    this.make = make;
  }
}

/** A function of the script. */
export class Closure extends Thing {
  readonly node: FunctionNode;
  readonly scope: Scope;
  /** An arrow function's `this`. */
  readonly boundSelf: Value;

  constructor(node: FunctionNode, scope: Scope, boundSelf: Value) {
    super();
    this.node = node;
    this.scope = scope;
    this.boundSelf = boundSelf;
  }
}

/** A regular expression. */
export class Pattern extends Thing {
  readonly source: string;
  readonly flags: string;
  readonly program: RegexProgram;
  lastIndex = 0;

  constructor(source: string, flags: string, program: RegexProgram) {
    super();
    this.source = source;
    this.flags = flags;
    this.program = program;
  }
}

/** A Date. */
export class Moment extends Thing {
  readonly date: Date;

  constructor(date: Date) {
    super();
    this.date = date;
  }
}

/** A Map or a Set. */
export class Collection extends Thing {
  readonly kind: 'map' | 'set';
  readonly entries = new Map<Value, Value>();

  constructor(kind: 'map' | 'set') {
    super();
    this.kind = kind;
  }
}

/** What a script threw, or a mistake of its own; it can catch this. What we stop it with it cannot. */
export class ScriptThrow extends Error {
  readonly value: Value;

  constructor(value: Value) {
    super('a script threw');
    this.value = value;
  }
}

/** Throws an Error object of the script's world. */
export function throwError(
  name: 'TypeError' | 'ReferenceError' | 'RangeError' | 'SyntaxError',
  message: string,
): never {
  throw new ScriptThrow(errorThing(name, message));
}

/** An Error object. */
export function errorThing(name: string, message: string): Thing {
  const thing = new Thing();
  thing.props.set('name', name);
  thing.props.set('message', message);
  return thing;
}

/** Whether a value can be called. */
export function isCallable(value: Value): value is Native | Closure {
  return value instanceof Native || value instanceof Closure;
}

/** `typeof`. */
export function typeName(value: Value): string {
  if (value === null) return 'object';
  if (value instanceof Thing) return isCallable(value) ? 'function' : 'object';
  return typeof value;
}

/** Whether a value counts as true. */
export function isTruthy(value: Value): boolean {
  return value instanceof Thing || Boolean(value);
}

/** `===`. Long texts of one length are compared unit by unit, so that costs. */
export function isSame(m: Machine, a: Value, b: Value): boolean {
  if (typeof a === 'string' && typeof b === 'string' && a.length === b.length) m.step(a.length >> 5);
  return a === b;
}
