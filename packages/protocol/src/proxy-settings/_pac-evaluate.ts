import { fail } from '../errors.ts';
import { callValue, construct, isInstance, MAX_ARGUMENTS } from './_pac-call.ts';
import { isLooselyEqual, toKey, toNumber, toPrimitive, toText } from './_pac-convert.ts';
import { MAX_ITEMS, type Machine } from './_pac-machine.ts';
import { deleteMember, getMember, hasMember, itemsOf, keysOf, methodOf, setMember } from './_pac-members.ts';
import type { Expression } from './_pac-nodes.ts';
import { makePattern } from './_pac-regex.ts';
import { Scope } from './_pac-scope.ts';
import { bindTarget, keyOfMember, propertyKey } from './_pac-targets.ts';
import { Closure, isSame, isTruthy, List, Thing, throwError, typeName, type Value } from './_pac-values.ts';

type Of<Type extends Expression['type']> = Extract<Expression, { type: Type }>;

/** The value of an expression. */
export function evaluate(m: Machine, node: Expression, scope: Scope): Value {
  m.step();
  m.enter();
  const value = dispatch(m, node, scope);
  m.depth -= 1;
  return value;
}

function dispatch(m: Machine, node: Expression, scope: Scope): Value {
  switch (node.type) {
    case 'Literal':
      return literal(m, node);
    case 'Identifier':
      m.step(scope.depth >> 2);
      return node.name === 'undefined' ? undefined : scope.get(node.name);
    case 'ThisExpression':
      return scope.self;
    case 'MemberExpression':
      return member(m, node, scope)?.value;
    case 'CallExpression':
      return call(m, node, scope)?.value;
    case 'ChainExpression':
      return evaluate(m, node.expression, scope);
    case 'ParenthesizedExpression':
      return evaluate(m, node.expression, scope);
    case 'BinaryExpression':
    case 'LogicalExpression':
      return chain(m, node, scope);
    case 'UnaryExpression':
      return unary(m, node, scope);
    case 'UpdateExpression':
      return update(m, node, scope);
    case 'AssignmentExpression':
      return assignment(m, node, scope);
    case 'ConditionalExpression':
      return evaluate(m, isTruthy(evaluate(m, node.test, scope)) ? node.consequent : node.alternate, scope);
    case 'SequenceExpression': {
      let last: Value;
      for (const part of node.expressions) last = evaluate(m, part, scope);
      return last;
    }
    case 'ArrayExpression':
      return array(m, node, scope);
    case 'ObjectExpression':
      return object(m, node, scope);
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return functionValue(m, node, scope);
    case 'TemplateLiteral':
      return template(m, node, scope);
    case 'NewExpression':
      return construct(m, evaluate(m, node.callee as Expression, scope), args(m, node.arguments, scope));
    default:
      return fail('pac.not-allowed', { what: node.type });
  }
}

function literal(m: Machine, node: Of<'Literal'>): Value {
  if (node.regex) return makePattern(m, node.regex.pattern, node.regex.flags);
  const { value } = node;
  if (typeof value === 'bigint' || value instanceof RegExp) return fail('pac.not-allowed', { what: 'BigInt' });
  return value ?? null;
}

/** A property, or null where `?.` ends a chain. */
function member(m: Machine, node: Of<'MemberExpression'>, scope: Scope): { value: Value } | null {
  const base = baseOf(m, node, scope);
  return base === null ? null : { value: getMember(m, base.value, keyOfMember(m, node, scope)) };
}

function baseOf(m: Machine, node: Of<'MemberExpression'>, scope: Scope): { value: Value } | null {
  const base = link(m, node.object, scope);
  if (base === null) return null;
  return node.optional && (base.value === undefined || base.value === null) ? null : base;
}

/** One link of a chain with `?.`: null when the chain ended before. */
function link(m: Machine, node: Expression | { type: 'Super' }, scope: Scope): { value: Value } | null {
  if (node.type === 'Super') return fail('pac.not-allowed', { what: 'super' });
  if (node.type === 'MemberExpression') {
    m.step();
    return member(m, node, scope);
  }
  if (node.type === 'CallExpression') {
    m.step();
    return call(m, node, scope);
  }
  return { value: evaluate(m, node, scope) };
}

function call(m: Machine, node: Of<'CallExpression'>, scope: Scope): { value: Value } | null {
  const { callee } = node;
  if (callee.type === 'MemberExpression') {
    const base = baseOf(m, callee, scope);
    if (base === null) return null;
    const key = keyOfMember(m, callee, scope);
    const given = base.value instanceof Thing ? base.value.find(key) : null;
    const method = given === null ? methodOf(base.value, key) : null;
    if (method !== null) {
      m.step(2);
      return { value: method(m, base.value, args(m, node.arguments, scope)) };
    }
    const value = getMember(m, base.value, key);
    if (node.optional && (value === undefined || value === null)) return null;
    return { value: callValue(m, value, base.value, args(m, node.arguments, scope)) };
  }
  const found = link(m, callee, scope);
  if (found === null || (node.optional && (found.value === undefined || found.value === null))) return null;
  return { value: callValue(m, found.value, undefined, args(m, node.arguments, scope)) };
}

function args(m: Machine, nodes: Of<'CallExpression'>['arguments'], scope: Scope): Value[] {
  const values: Value[] = [];
  for (const node of nodes) {
    if (node.type === 'SpreadElement') {
      const items = itemsOf(m, evaluate(m, node.argument, scope));
      if (values.length + items.length > MAX_ARGUMENTS) throwError('RangeError', 'too many arguments');
      for (const item of items) values.push(item);
    } else values.push(evaluate(m, node, scope));
  }
  return values;
}

/**
 * `a + b + c` and `a || b || c`, from the left without going down: generated scripts have thousands of terms.
 */
function chain(m: Machine, node: Of<'BinaryExpression'> | Of<'LogicalExpression'>, scope: Scope): Value {
  const spine: (Of<'BinaryExpression'> | Of<'LogicalExpression'>)[] = [];
  let at: Expression = node;
  while (at.type === 'BinaryExpression' || at.type === 'LogicalExpression') {
    spine.push(at);
    if (at.left.type === 'PrivateIdentifier') return fail('pac.not-allowed', { what: 'a private name' });
    at = at.left;
  }
  let value = evaluate(m, at, scope);
  for (const part of spine.toReversed()) {
    m.step();
    if (part.type === 'BinaryExpression') value = binary(m, part.operator, value, evaluate(m, part.right, scope));
    else if (isOpen(part.operator, value)) value = evaluate(m, part.right, scope);
  }
  return value;
}

/** Whether the right side of a logical operator still counts. */
function isOpen(operator: '||' | '&&' | '??', left: Value): boolean {
  if (operator === '??') return left === undefined || left === null;
  return isTruthy(left) === (operator === '&&');
}

function binary(m: Machine, operator: string, left: Value, right: Value): Value {
  switch (operator) {
    case '===':
    case '!==':
      return isSame(m, left, right) === (operator === '===');
    case '==':
    case '!=':
      return isLooselyEqual(m, left, right) === (operator === '==');
    case '+':
      return add(m, left, right);
    case '<':
    case '>':
    case '<=':
    case '>=':
      return isOrdered(m, operator, left, right);
    case 'in':
      if (!(right instanceof Thing)) return throwError('TypeError', 'what stands behind "in" is not an object');
      return hasMember(right, toKey(m, left));
    case 'instanceof':
      return isInstance(m, left, right);
    default:
      return arithmetic(operator, toNumber(m, left), toNumber(m, right));
  }
}

function add(m: Machine, left: Value, right: Value): Value {
  const [a, b] = [toPrimitive(m, left), toPrimitive(m, right)];
  if (typeof a !== 'string' && typeof b !== 'string') return Number(a) + Number(b);
  const [x, y] = [String(a), String(b)];
  return m.text(x + y);
}

function isOrdered(m: Machine, operator: string, left: Value, right: Value): boolean {
  const [a, b] = [toPrimitive(m, left, 'number'), toPrimitive(m, right, 'number')];
  const areTexts = typeof a === 'string' && typeof b === 'string';
  const [x, y] = areTexts ? [a, b] : [Number(a), Number(b)];
  if (areTexts) m.step(Math.min(a.length, b.length) >> 5);
  if (operator === '<') return x < y;
  if (operator === '>') return x > y;
  return operator === '<=' ? x <= y : x >= y;
}

function arithmetic(operator: string, a: number, b: number): number {
  switch (operator) {
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '**':
      return a ** b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<<':
      return a << b;
    case '>>':
      return a >> b;
    case '>>>':
      return a >>> b;
    default:
      return fail('pac.not-allowed', { what: operator });
  }
}

function unary(m: Machine, node: Of<'UnaryExpression'>, scope: Scope): Value {
  const { operator, argument } = node;
  if (operator === 'typeof') {
    const isUnknown = argument.type === 'Identifier' && argument.name !== 'undefined' && !scope.has(argument.name);
    return isUnknown ? 'undefined' : typeName(evaluate(m, argument, scope));
  }
  if (operator === 'delete') {
    if (argument.type !== 'MemberExpression') return false;
    const base = baseOf(m, argument, scope);
    return base === null || deleteMember(m, base.value, keyOfMember(m, argument, scope));
  }
  const value = evaluate(m, argument, scope);
  if (operator === '!') return !isTruthy(value);
  if (operator === 'void') return undefined;
  const number = toNumber(m, value);
  return operator === '-' ? -number : operator === '+' ? number : ~number;
}

function update(m: Machine, node: Of<'UpdateExpression'>, scope: Scope): Value {
  const place = placeOf(m, node.argument, scope);
  const before = toNumber(m, place.get());
  const after = node.operator === '++' ? before + 1 : before - 1;
  place.set(after);
  return node.prefix ? after : before;
}

function assignment(m: Machine, node: Of<'AssignmentExpression'>, scope: Scope): Value {
  const { operator, left } = node;
  if (operator === '=') {
    if (left.type !== 'MemberExpression') {
      const value = evaluate(m, node.right, scope);
      bindTarget(m, left, value, scope, 'assign');
      return value;
    }
    const place = placeOf(m, left, scope);
    const value = evaluate(m, node.right, scope);
    place.set(value);
    return value;
  }
  const place = placeOf(m, left as Expression, scope);
  const before = place.get();
  if (operator === '||=' || operator === '&&=' || operator === '??=') {
    if (!isOpen(operator.slice(0, 2) as '||', before)) return before;
    const value = evaluate(m, node.right, scope);
    place.set(value);
    return value;
  }
  const value = binary(m, operator.slice(0, -1), before, evaluate(m, node.right, scope));
  place.set(value);
  return value;
}

/** A name or a property, worked out once, to be read and written. */
function placeOf(m: Machine, node: Expression, scope: Scope): { get(): Value; set(value: Value): void } {
  if (node.type === 'Identifier') {
    const { name } = node;
    return { get: () => scope.get(name), set: (value) => scope.set(name, value) };
  }
  if (node.type !== 'MemberExpression') return fail('pac.not-allowed', { what: node.type });
  const base = baseOf(m, node, scope)?.value;
  const key = keyOfMember(m, node, scope);
  return { get: () => getMember(m, base, key), set: (value) => setMember(m, base, key, value) };
}

function array(m: Machine, node: Of<'ArrayExpression'>, scope: Scope): Value {
  const items: Value[] = [];
  for (const element of node.elements) {
    if (element === null) items.push(undefined);
    else if (element.type === 'SpreadElement') {
      const more = itemsOf(m, evaluate(m, element.argument, scope));
      m.hold(16 * more.length);
      if (items.length + more.length > MAX_ITEMS) fail('pac.too-long', { limit: 'memory' });
      for (const item of more) items.push(item);
    } else items.push(evaluate(m, element, scope));
  }
  m.hold(64 + 16 * node.elements.length);
  return new List(items);
}

function object(m: Machine, node: Of<'ObjectExpression'>, scope: Scope): Value {
  const thing = new Thing();
  m.hold(64);
  for (const part of node.properties) {
    if (part.type === 'SpreadElement') {
      const from = evaluate(m, part.argument, scope);
      for (const key of keysOf(m, from, false)) setMember(m, thing, key, getMember(m, from, key));
      continue;
    }
    if (part.kind !== 'init') return fail('pac.not-allowed', { what: 'a property with code behind it' });
    setMember(m, thing, propertyKey(m, part.key, part.computed, scope), evaluate(m, part.value, scope));
  }
  return thing;
}

function functionValue(m: Machine, node: Of<'FunctionExpression' | 'ArrowFunctionExpression'>, scope: Scope): Value {
  if (node.async || node.generator) return fail('pac.not-allowed', { what: 'a function that waits' });
  m.hold(64);
  if (node.type === 'ArrowFunctionExpression') return new Closure(node, scope, scope.self);
  const name = node.id?.name;
  if (name === undefined) return new Closure(node, scope, undefined);
  // Its own name is known inside it, and nowhere else.
  const inner = new Scope(scope, false);
  const made = new Closure(node, inner, undefined);
  inner.define(name, made);
  return made;
}

function template(m: Machine, node: Of<'TemplateLiteral'>, scope: Scope): Value {
  let text = '';
  for (const [at, quasi] of node.quasis.entries()) {
    const expression = node.expressions[at];
    text += quasi.value.cooked ?? '';
    if (expression !== undefined) text += m.text(toText(m, evaluate(m, expression, scope)));
  }
  return m.text(text);
}
