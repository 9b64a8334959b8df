import { fail } from '../errors.ts';
import { evaluate } from './_pac-evaluate.ts';
import { executeBody } from './_pac-execute.ts';
import { MAX_CHAIN, type Machine } from './_pac-machine.ts';
import { getMember } from './_pac-members.ts';
import { declarationsOf } from './_pac-nodes.ts';
import { Scope } from './_pac-scope.ts';
import { bindTarget } from './_pac-targets.ts';
import { Closure, isCallable, List, Native, Thing, throwError, type Value } from './_pac-values.ts';

/** Most arguments of one call. */
export const MAX_ARGUMENTS = 10_000;

/** Calls a value. @throws TypeError of the script's world when it is no function */
export function callValue(m: Machine, callee: Value, self: Value, args: readonly Value[]): Value {
  m.step(2);
  if (args.length > MAX_ARGUMENTS) throwError('RangeError', 'too many arguments');
  if (callee instanceof Native) return callee.code(m, self, args);
  if (!(callee instanceof Closure)) return throwError('TypeError', 'what is called is not a function');
  const depth = m.depth;
  m.enter();
  m.hold(64 + 16 * args.length);
  const result = runClosure(m, callee, self, args);
  m.depth = depth;
  return result;
}

/** `new`. @throws TypeError of the script's world */
export function construct(m: Machine, callee: Value, args: readonly Value[]): Value {
  m.hold(64);
  if (callee instanceof Native && callee.make !== null) return callee.make(m, undefined, args);
  if (!(callee instanceof Closure) || callee.node.type === 'ArrowFunctionExpression') {
    return throwError('TypeError', 'what is made new is not a constructor');
  }
  const proto = getMember(m, callee, 'prototype');
  if (proto instanceof Thing && proto.chainLength >= MAX_CHAIN) fail('pac.too-long', { limit: 'depth' });
  const self = new Thing(proto instanceof Thing ? proto : null);
  const result = callValue(m, callee, self, args);
  return result instanceof Thing ? result : self;
}

/** Whether `value instanceof callee`. */
export function isInstance(m: Machine, value: Value, callee: Value): boolean {
  if (!isCallable(callee)) return throwError('TypeError', 'what stands behind instanceof is not a function');
  if (callee instanceof Native) return callee.name === 'Array' && value instanceof List;
  const proto = getMember(m, callee, 'prototype');
  let at: Thing | null = value instanceof Thing ? value.proto : null;
  while (at !== null) {
    m.step();
    if (at === proto) return true;
    at = at.proto;
  }
  return false;
}

function runClosure(
  m: Machine,
  { node, scope: outer, boundSelf }: Closure,
  self: Value,
  args: readonly Value[],
): Value {
  const isArrow = node.type === 'ArrowFunctionExpression';
  const scope = new Scope(outer, true, isArrow ? boundSelf : self, isArrow ? null : args);
  for (const [at, param] of node.params.entries()) {
    if (param.type === 'RestElement') bindTarget(m, param.argument, new List(args.slice(at)), scope, 'let');
    else bindTarget(m, param, args[at], scope, 'let');
  }
  if (node.body.type !== 'BlockStatement') return evaluate(m, node.body, scope);
  const { vars, functions } = declarationsOf(node, node.body.body);
  for (const name of vars) scope.declare(name);
  for (const made of functions) scope.define(made.id.name, new Closure(made, scope, undefined));
  const completion = executeBody(m, node.body, node.body.body, scope);
  return completion?.kind === 'return' ? completion.value : undefined;
}
