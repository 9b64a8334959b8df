import { fail } from '../errors.ts';
import { toKey } from './_pac-convert.ts';
import { evaluate } from './_pac-evaluate.ts';
import type { Machine } from './_pac-machine.ts';
import { getMember, itemsOf, keysOf, setMember } from './_pac-members.ts';
import type { Expression, Target } from './_pac-nodes.ts';
import type { Scope } from './_pac-scope.ts';
import { List, Thing, throwError, type Value } from './_pac-values.ts';

/** How a name is bound: by assignment, or as a declaration of its kind. */
export type BindingKind = 'assign' | 'var' | 'let' | 'const';

/** Puts a value into a name, a property, or the parts of a pattern. */
export function bindTarget(m: Machine, target: Target, value: Value, scope: Scope, kind: BindingKind): void {
  m.step();
  switch (target.type) {
    case 'Identifier':
      if (kind === 'assign') scope.set(target.name, value);
      else if (kind === 'var') scope.functionScope().set(target.name, value);
      else scope.define(target.name, value, kind === 'const');
      return;
    case 'MemberExpression':
      if (target.object.type === 'Super') fail('pac.not-allowed', { what: 'super' });
      setMember(m, evaluate(m, target.object, scope), keyOfMember(m, target, scope), value);
      return;
    case 'AssignmentPattern':
      bindTarget(m, target.left, value === undefined ? evaluate(m, target.right, scope) : value, scope, kind);
      return;
    case 'ArrayPattern': {
      const items = itemsOf(m, value);
      for (const [at, element] of target.elements.entries()) {
        if (element?.type === 'RestElement') bindTarget(m, element.argument, new List(items.slice(at)), scope, kind);
        else if (element !== null) bindTarget(m, element, items[at], scope, kind);
      }
      return;
    }
    case 'ObjectPattern':
      bindProperties(m, target, value, scope, kind);
      return;
    default:
      fail('pac.not-allowed', { what: target.type });
  }
}

function bindProperties(
  m: Machine,
  target: Extract<Target, { type: 'ObjectPattern' }>,
  value: Value,
  scope: Scope,
  kind: BindingKind,
): void {
  if (value === undefined || value === null) throwError('TypeError', 'nothing cannot be taken apart');
  const taken = new Set<string>();
  for (const part of target.properties) {
    if (part.type === 'RestElement') {
      const rest = new Thing();
      for (const key of keysOf(m, value, false)) if (!taken.has(key)) rest.props.set(key, getMember(m, value, key));
      bindTarget(m, part.argument, rest, scope, kind);
      continue;
    }
    const key = propertyKey(m, part.key, part.computed, scope);
    taken.add(key);
    bindTarget(m, part.value, getMember(m, value, key), scope, kind);
  }
}

/** The name in `{ name: … }`, `{ 'name': … }`, `{ 1: … }` or `{ [name]: … }`. */
export function propertyKey(m: Machine, key: { type: string }, isComputed: boolean, scope: Scope): string {
  if (!isComputed && key.type === 'Identifier') return (key as Extract<Expression, { type: 'Identifier' }>).name;
  if (key.type === 'PrivateIdentifier') fail('pac.not-allowed', { what: 'a private name' });
  return toKey(m, evaluate(m, key as Expression, scope));
}

/** The name behind a dot or in brackets. */
export function keyOfMember(m: Machine, node: Extract<Target, { type: 'MemberExpression' }>, scope: Scope): string {
  return propertyKey(m, node.property, node.computed, scope);
}
