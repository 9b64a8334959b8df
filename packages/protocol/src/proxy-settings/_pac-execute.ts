import { fail } from '../errors.ts';
import { evaluate } from './_pac-evaluate.ts';
import type { Machine } from './_pac-machine.ts';
import { itemsOf, keysOf } from './_pac-members.ts';
import { lexicalNames, type Statement } from './_pac-nodes.ts';
import { Scope } from './_pac-scope.ts';
import { bindTarget } from './_pac-targets.ts';
import { isSame, isTruthy, ScriptThrow, type Value } from './_pac-values.ts';

/** How a statement ended when it did not simply end. */
export type Completion =
  | null
  | { readonly kind: 'return'; readonly value: Value }
  | { readonly kind: 'break' | 'continue'; readonly label: string | null };

type Of<Type extends Statement['type']> = Extract<Statement, { type: Type }>;

/** Runs the statements of a block in a scope that is there already. */
export function executeBody(m: Machine, owner: object, body: readonly Statement[], scope: Scope): Completion {
  for (const { name, isConst } of lexicalNames(owner, body)) scope.reserve(name, isConst);
  for (const statement of body) {
    const completion = execute(m, statement, scope);
    if (completion !== null) return completion;
  }
  return null;
}

function executeBlock(m: Machine, owner: object, body: readonly Statement[], scope: Scope): Completion {
  const isPlain = lexicalNames(owner, body).length === 0;
  return executeBody(m, owner, body, isPlain ? scope : new Scope(scope, false));
}

function execute(m: Machine, node: Statement, scope: Scope, labels: readonly string[] = []): Completion {
  m.step();
  m.enter();
  const completion = dispatch(m, node, scope, labels);
  m.depth -= 1;
  return completion;
}

function dispatch(m: Machine, node: Statement, scope: Scope, labels: readonly string[]): Completion {
  switch (node.type) {
    case 'ExpressionStatement':
      evaluate(m, node.expression, scope);
      return null;
    case 'VariableDeclaration':
      executeDeclaration(m, node, scope);
      return null;
    case 'FunctionDeclaration':
    case 'EmptyStatement':
    case 'DebuggerStatement':
      return null;
    case 'ReturnStatement':
      return { kind: 'return', value: node.argument ? evaluate(m, node.argument, scope) : undefined };
    case 'IfStatement':
      return executeIf(m, node, scope);
    case 'BlockStatement':
      return executeBlock(m, node, node.body, scope);
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
      return executeLoop(m, node, scope, labels);
    case 'SwitchStatement':
      return executeSwitch(m, node, scope);
    case 'BreakStatement':
      return { kind: 'break', label: node.label?.name ?? null };
    case 'ContinueStatement':
      return { kind: 'continue', label: node.label?.name ?? null };
    case 'ThrowStatement':
      throw new ScriptThrow(evaluate(m, node.argument, scope));
    case 'TryStatement':
      return executeTry(m, node, scope);
    case 'LabeledStatement': {
      const completion = execute(m, node.body, scope, [...labels, node.label.name]);
      return completion?.kind === 'break' && completion.label === node.label.name ? null : completion;
    }
    default:
      return fail('pac.not-allowed', { what: node.type });
  }
}

function executeDeclaration(m: Machine, node: Of<'VariableDeclaration'>, scope: Scope): void {
  const { kind } = node;
  if (kind !== 'var' && kind !== 'let' && kind !== 'const') fail('pac.not-allowed', { what: kind });
  for (const { id, init } of node.declarations) {
    // A `var` without a value leaves what is there.
    if (!init && kind === 'var') continue;
    bindTarget(m, id, init ? evaluate(m, init, scope) : undefined, scope, kind);
  }
}

/** One after the other, not one in the other: generated scripts have thousands of `else if`. */
function executeIf(m: Machine, first: Of<'IfStatement'>, scope: Scope): Completion {
  let node: Statement | null | undefined = first;
  while (node?.type === 'IfStatement') {
    m.step();
    if (isTruthy(evaluate(m, node.test, scope))) return execute(m, node.consequent, scope);
    node = node.alternate;
  }
  return node ? execute(m, node, scope) : null;
}

type Loop = Of<'ForStatement' | 'ForInStatement' | 'ForOfStatement' | 'WhileStatement' | 'DoWhileStatement'>;

function executeLoop(m: Machine, node: Loop, scope: Scope, labels: readonly string[]): Completion {
  /** What the end of a turn means to the loop: go on, or leave with this. */
  const turn = (inner: Scope): { leave: Completion } | null => {
    m.step();
    const completion = execute(m, node.body, inner);
    if (completion === null) return null;
    const isOurs = completion.kind !== 'return' && (completion.label === null || labels.includes(completion.label));
    if (completion.kind === 'continue' && isOurs) return null;
    return { leave: completion.kind === 'break' && isOurs ? null : completion };
  };
  switch (node.type) {
    case 'ForStatement':
      return loopCounted(m, node, scope, turn);
    case 'ForInStatement':
      return loopOver(m, node, keysOf(m, evaluate(m, node.right, scope), true), scope, turn);
    case 'ForOfStatement':
      if (node.await) return fail('pac.not-allowed', { what: 'for await' });
      return loopOver(m, node, itemsOf(m, evaluate(m, node.right, scope)), scope, turn);
    case 'WhileStatement':
      while (isTruthy(evaluate(m, node.test, scope))) {
        const end = turn(scope);
        if (end !== null) return end.leave;
      }
      return null;
    case 'DoWhileStatement':
      do {
        const end = turn(scope);
        if (end !== null) return end.leave;
      } while (isTruthy(evaluate(m, node.test, scope)));
      return null;
  }
}

type Turn = (inner: Scope) => { leave: Completion } | null;

function loopCounted(m: Machine, node: Of<'ForStatement'>, scope: Scope, turn: Turn): Completion {
  const isLexical = node.init?.type === 'VariableDeclaration' && node.init.kind !== 'var';
  let inner = isLexical ? new Scope(scope, false) : scope;
  if (node.init?.type === 'VariableDeclaration') executeDeclaration(m, node.init, inner);
  else if (node.init) evaluate(m, node.init, inner);
  for (;;) {
    if (node.test && !isTruthy(evaluate(m, node.test, inner))) return null;
    const end = turn(inner);
    if (end !== null) return end.leave;
    if (isLexical) {
      m.hold(64);
      inner = inner.copy();
    }
    if (node.update) evaluate(m, node.update, inner);
  }
}

function loopOver(
  m: Machine,
  node: Of<'ForInStatement' | 'ForOfStatement'>,
  items: readonly Value[],
  scope: Scope,
  turn: Turn,
): Completion {
  const { left } = node;
  for (const item of items) {
    let inner = scope;
    if (left.type === 'VariableDeclaration') {
      const { kind, declarations } = left;
      if (kind !== 'var' && kind !== 'let' && kind !== 'const') return fail('pac.not-allowed', { what: kind });
      if (kind !== 'var') {
        m.hold(64);
        inner = new Scope(scope, false);
      }
      const id = declarations[0]?.id;
      if (id !== undefined) bindTarget(m, id, item, inner, kind);
    } else bindTarget(m, left, item, scope, 'assign');
    const end = turn(inner);
    if (end !== null) return end.leave;
  }
  return null;
}

function executeSwitch(m: Machine, node: Of<'SwitchStatement'>, scope: Scope): Completion {
  const value = evaluate(m, node.discriminant, scope);
  const inner = new Scope(scope, false);
  const body = node.cases.flatMap(({ consequent }) => consequent);
  for (const { name, isConst } of lexicalNames(node, body)) inner.reserve(name, isConst);
  let from = node.cases.findIndex(({ test }) => {
    m.step();
    return test ? isSame(m, evaluate(m, test, inner), value) : false;
  });
  if (from < 0) from = node.cases.findIndex(({ test }) => !test);
  if (from < 0) return null;
  for (const { consequent } of node.cases.slice(from)) {
    for (const statement of consequent) {
      const completion = execute(m, statement, inner);
      if (completion === null) continue;
      return completion.kind === 'break' && completion.label === null ? null : completion;
    }
  }
  return null;
}

/** A script catches what it threw itself. What stops it from outside is no `ScriptThrow`, and passes it by. */
function executeTry(m: Machine, node: Of<'TryStatement'>, scope: Scope): Completion {
  const { depth } = m;
  let completion: Completion = null;
  let thrown: ScriptThrow | null = null;
  const attempt = (work: () => Completion): void => {
    try {
      completion = work();
      thrown = null;
    } catch (error) {
      if (!(error instanceof ScriptThrow)) throw error;
      m.depth = depth;
      m.step(10);
      thrown = error;
    }
  };
  attempt(() => executeBlock(m, node.block, node.block.body, scope));
  const caught = thrown as ScriptThrow | null;
  if (caught !== null && node.handler) {
    const { param, body } = node.handler;
    attempt(() => {
      const inner = new Scope(scope, false);
      if (param) bindTarget(m, param, caught.value, inner, 'let');
      return executeBlock(m, body, body.body, inner);
    });
  }
  const left = thrown as ScriptThrow | null;
  if (node.finalizer) {
    const last = executeBlock(m, node.finalizer, node.finalizer.body, scope);
    if (last !== null) return last;
  }
  if (left !== null) throw left;
  return completion;
}
