import { fail } from '../errors.ts';
import { List, throwError, type Value } from './_pac-values.ts';

interface Binding {
  value: Value;
  readonly isConst: boolean;
  /** False between the beginning of a block and the declaration in it. */
  isReady: boolean;
}

/** What other JavaScript has and no PAC script gets. Naming one ends the script, unless it asks by `typeof` first. */
const NOT_GIVEN: ReadonlySet<string> = new Set([
  ...['eval', 'Function', 'globalThis', 'window', 'self', 'document', 'process', 'require', 'module', 'exports'],
  ...['Symbol', 'Proxy', 'Reflect', 'WebAssembly', 'Promise', 'Worker', 'importScripts', 'fetch', 'XMLHttpRequest'],
  ...['WebSocket', 'ActiveXObject', 'WScript', 'setTimeout', 'setInterval', 'queueMicrotask', 'Atomics'],
  ...['SharedArrayBuffer', 'ArrayBuffer', 'Intl', 'navigator', 'location', 'chrome', 'browser', 'Components'],
]);

/** Names and their values, and the names around them. */
export class Scope {
  readonly #names = new Map<string, Binding>();
  readonly #outer: Scope | null;
  /** Whether `var` stops here. */
  readonly isFunction: boolean;
  /** `this`, of a function that is not an arrow. */
  readonly self: Value;
  readonly #args: readonly Value[] | null;
  /** How many scopes are around it: what looking for a name may cost. */
  readonly depth: number;

  constructor(outer: Scope | null, isFunction: boolean, self?: Value, args: readonly Value[] | null = null) {
    this.#outer = outer;
    this.isFunction = isFunction;
    this.self = isFunction ? self : outer?.self;
    this.#args = args;
    this.depth = outer === null ? 0 : outer.depth + 1;
  }

  /** Makes a name here; one that is there stays as it is, as with a `var` that is said twice. */
  declare(name: string): void {
    if (!this.#names.has(name)) this.#names.set(name, { value: undefined, isConst: false, isReady: true });
  }

  /** Makes a name here with a value, anew. */
  define(name: string, value: Value, isConst = false): void {
    this.#names.set(name, { value, isConst, isReady: true });
  }

  /** Makes a `let` or `const` that cannot be used before `define` gives it its value. */
  reserve(name: string, isConst: boolean): void {
    this.#names.set(name, { value: undefined, isConst, isReady: false });
  }

  /** A scope of the same names and values beside this one: each turn of a loop has its own. */
  copy(): Scope {
    const beside = new Scope(this.#outer, false);
    for (const [name, { value, isConst }] of this.#names) beside.define(name, value, isConst);
    return beside;
  }

  /** Where `var` and functions belong. */
  functionScope(): Scope {
    return this.isFunction || this.#outer === null ? this : this.#outer.functionScope();
  }

  /** Whether a name is known, for `typeof`. */
  has(name: string): boolean {
    return Scope.#find(this, name) !== null;
  }

  /** @throws ReferenceError of the script's world; pac.not-allowed for what no script gets */
  get(name: string): Value {
    const binding = Scope.#find(this, name);
    if (binding === null) {
      if (NOT_GIVEN.has(name)) fail('pac.not-allowed', { what: name });
      return throwError('ReferenceError', `${name} is not defined`);
    }
    if (!binding.isReady) throwError('ReferenceError', `${name} is used before it is set`);
    return binding.value;
  }

  /** Sets a known name, or makes a global one, as scripts do that forget `var`. */
  set(name: string, value: Value): void {
    const binding = Scope.#find(this, name);
    if (binding === null) {
      if (NOT_GIVEN.has(name)) fail('pac.not-allowed', { what: name });
      Scope.#globalOf(this).define(name, value);
      return;
    }
    if (!binding.isReady) throwError('ReferenceError', `${name} is used before it is set`);
    if (binding.isConst) throwError('TypeError', `${name} is constant`);
    binding.value = value;
  }

  static #find(start: Scope, name: string): Binding | null {
    let at: Scope | null = start;
    while (at !== null) {
      const binding = at.#names.get(name);
      if (binding !== undefined) return binding;
      if (name === 'arguments' && at.#args !== null) {
        const made = { value: new List([...at.#args]), isConst: false, isReady: true };
        at.#names.set(name, made);
        return made;
      }
      at = at.#outer;
    }
    return null;
  }

  static #globalOf(start: Scope): Scope {
    let at = start;
    while (at.#outer !== null) at = at.#outer;
    return at;
  }
}
