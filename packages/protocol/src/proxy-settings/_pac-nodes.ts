import type * as acorn from 'acorn';

/** The parts of acorn's tree by their short names. */
export type Expression = acorn.Expression;
/** A statement or a declaration. */
export type Statement = acorn.Statement | acorn.ModuleDeclaration;
/** What a value is taken apart by, or put into. */
export type Target = acorn.Pattern;
/** Any form of a function. */
export type FunctionNode =
  | acorn.FunctionDeclaration
  | acorn.AnonymousFunctionDeclaration
  | acorn.FunctionExpression
  | acorn.ArrowFunctionExpression;
/** The whole script. */
export type Program = acorn.Program;

/** What a function or script declares in itself, without the functions in it. */
export interface Declarations {
  readonly vars: readonly string[];
  readonly functions: readonly acorn.FunctionDeclaration[];
}

const known = new WeakMap<object, Declarations>();

/** `var` names and function declarations of a body; function declarations in blocks are visible in the whole function. */
export function declarationsOf(owner: object, body: readonly Statement[]): Declarations {
  const before = known.get(owner);
  if (before !== undefined) return before;
  const vars = new Set<string>();
  const functions: acorn.FunctionDeclaration[] = [];
  // A stack of our own: statements may be nested deeper than the host's stack bears.
  const left: (Statement | null | undefined)[] = body.toReversed();
  while (left.length > 0) {
    const node = left.pop();
    if (node === null || node === undefined) continue;
    if (node.type === 'FunctionDeclaration') functions.push(node);
    else if (node.type === 'VariableDeclaration') addVars(node, vars);
    else left.push(...statementsIn(node, vars).toReversed());
  }
  const found = { vars: [...vars], functions };
  known.set(owner, found);
  return found;
}

function addVars(node: acorn.VariableDeclaration, vars: Set<string>): void {
  if (node.kind !== 'var') return;
  for (const { id } of node.declarations) for (const name of namesIn(id)) vars.add(name);
}

function statementsIn(node: Statement, vars: Set<string>): (Statement | null | undefined)[] {
  switch (node.type) {
    case 'BlockStatement':
      return node.body;
    case 'IfStatement':
      return [node.consequent, node.alternate];
    case 'ForStatement':
      if (node.init?.type === 'VariableDeclaration') addVars(node.init, vars);
      return [node.body];
    case 'ForInStatement':
    case 'ForOfStatement':
      if (node.left.type === 'VariableDeclaration') addVars(node.left, vars);
      return [node.body];
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'LabeledStatement':
      return [node.body];
    case 'SwitchStatement':
      return node.cases.flatMap(({ consequent }) => consequent);
    case 'TryStatement':
      return [node.block, node.handler?.body, node.finalizer];
    default:
      return [];
  }
}

/** Every name that a pattern binds. */
function namesIn(target: Target): string[] {
  switch (target.type) {
    case 'Identifier':
      return [target.name];
    case 'AssignmentPattern':
      return namesIn(target.left);
    case 'RestElement':
      return namesIn(target.argument);
    case 'ArrayPattern':
      return target.elements.flatMap((element) => (element === null ? [] : namesIn(element)));
    case 'ObjectPattern':
      return target.properties.flatMap((part) => namesIn(part.type === 'RestElement' ? part : part.value));
    default:
      return [];
  }
}

const lexical = new WeakMap<object, readonly { name: string; isConst: boolean }[]>();

/** `let` and `const` of a block, which exist from its beginning and may be used only later. */
export function lexicalNames(owner: object, body: readonly Statement[]): readonly { name: string; isConst: boolean }[] {
  const before = lexical.get(owner);
  if (before !== undefined) return before;
  const found = body.flatMap((node) => {
    if (node.type !== 'VariableDeclaration' || node.kind === 'var') return [];
    const isConst = node.kind !== 'let';
    return node.declarations.flatMap(({ id }) => namesIn(id).map((name) => ({ name, isConst })));
  });
  lexical.set(owner, found);
  return found;
}
