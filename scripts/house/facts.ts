/**
 * What the rules need to know about a TypeScript file, read once from its syntax tree. Everything that touches the
 * compiler's interface is in this file, because that interface is still marked unstable.
 */
import {
  isArrayBindingPattern,
  isAsExpression,
  isCallExpression,
  isClassDeclaration,
  isEnumDeclaration,
  isExportAssignment,
  isExportDeclaration,
  isFunctionDeclaration,
  isFunctionLikeDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isInterfaceDeclaration,
  isJsxElement,
  isJsxFragment,
  isJsxSelfClosingElement,
  isLiteralTypeNode,
  isModuleDeclaration,
  isObjectBindingPattern,
  isPropertyAccessExpression,
  isQualifiedName,
  isStringLiteral,
  isTypeAliasDeclaration,
  isVariableDeclaration,
  isVariableStatement,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';

/** A name or place and where it stands, lines counted from 1. */
export interface Mention {
  readonly name: string;
  readonly line: number;
}

/** One import, export-from, dynamic import or import type. */
export interface ImportFact {
  readonly specifier: string;
  readonly isTypeOnly: boolean;
  readonly line: number;
}

/** One function with its length. */
export interface FunctionFact {
  readonly name: string;
  readonly line: number;
  readonly lineCount: number;
  readonly isGenerator: boolean;
  readonly hasJsx: boolean;
}

/** One exported name and whether a doc comment stands before it. */
export interface ExportFact {
  readonly name: string;
  readonly line: number;
  readonly isDocumented: boolean;
}

/** The facts of one file. */
export interface FileFacts {
  readonly path: string;
  readonly text: string;
  readonly lineCount: number;
  readonly imports: readonly ImportFact[];
  readonly functions: readonly FunctionFact[];
  readonly exports: readonly ExportFact[];
  /** Identifiers that are not the right side of a dot. */
  readonly names: readonly Mention[];
  /** Two-part accesses such as `Date.now` and `it.skip`. */
  readonly members: readonly Mention[];
  /** `async`, `await` and `Promise`. */
  readonly waits: readonly Mention[];
  /** `any` and `as unknown as`. */
  readonly looseTypes: readonly Mention[];
}

interface Gathered {
  imports: ImportFact[];
  functions: FunctionFact[];
  exports: ExportFact[];
  names: Mention[];
  members: Mention[];
  waits: Mention[];
  looseTypes: Mention[];
}

const ROOT = '/house';

/** Parses the files (path to text) and gathers their facts. Nothing is read from disk and no module is resolved. */
export function gatherFacts(files: ReadonlyMap<string, string>): FileFacts[] {
  const tree: Record<string, string> = {};
  for (const [path, text] of files) tree[`${ROOT}/${path}`] = text;
  tree[`${ROOT}/tsconfig.json`] = JSON.stringify({
    compilerOptions: { noLib: true, noResolve: true, types: [], jsx: 'preserve', noEmit: true, module: 'esnext' },
    files: [...files.keys()],
  });
  const api = new API({ cwd: ROOT, fs: createVirtualFileSystem(tree) });
  try {
    const project = api.updateSnapshot({ openProjects: [`${ROOT}/tsconfig.json`] }).getProjects()[0];
    if (project === undefined) throw new Error('the TypeScript API opened no project');
    return [...files].map(([path, text]) => {
      const source = project.program.getSourceFile(`${ROOT}/${path}`);
      if (source === undefined) throw new Error(`the TypeScript API did not parse ${path}`);
      return factsOf(path, text, source);
    });
  } finally {
    api.close();
  }
}

function factsOf(path: string, text: string, source: SourceFile): FileFacts {
  const lineAt = lineFinder(text);
  const gathered: Gathered = {
    imports: [],
    functions: [],
    exports: [],
    names: [],
    members: [],
    waits: [],
    looseTypes: [],
  };
  const visit = (node: Node): void => {
    const line = (): number => lineAt(node.getStart(source));
    gatherImport(node, line, gathered);
    gatherName(node, line, gathered);
    gatherType(node, line, gathered);
    if (isFunctionLikeDeclaration(node)) gatherFunction(node, line(), lineAt(node.end), gathered);
    node.forEachChild(visit);
  };
  source.forEachChild(visit);
  gatherExports(source, text, lineAt, gathered);
  return { path, text, lineCount: text.split('\n').length - (text.endsWith('\n') ? 1 : 0), ...gathered };
}

function gatherImport(node: Node, line: () => number, into: Gathered): void {
  let specifier: Node | undefined;
  let isTypeOnly = false;
  if (isImportDeclaration(node)) {
    specifier = node.moduleSpecifier;
    isTypeOnly = /^import\s+type\b/.test(node.getText());
  } else if (isExportDeclaration(node)) {
    specifier = node.moduleSpecifier;
    isTypeOnly = /^export\s+type\b/.test(node.getText());
  } else if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
    specifier = node.arguments[0];
  } else if (isImportTypeNode(node) && isLiteralTypeNode(node.argument)) {
    specifier = node.argument.literal;
    isTypeOnly = true;
  }
  if (specifier !== undefined && isStringLiteral(specifier)) {
    into.imports.push({ specifier: specifier.text, isTypeOnly, line: line() });
  }
}

function gatherName(node: Node, line: () => number, into: Gathered): void {
  if (isPropertyAccessExpression(node) && isIdentifier(node.expression)) {
    into.members.push({ name: `${node.expression.text}.${node.name.text}`, line: line() });
  }
  if (!isIdentifier(node)) return;
  const parent = node.parent;
  const isRightOfDot =
    (isPropertyAccessExpression(parent) && parent.name === node) || (isQualifiedName(parent) && parent.right === node);
  if (isRightOfDot) return;
  if (node.text === 'Promise' || node.text === 'PromiseLike') into.waits.push({ name: node.text, line: line() });
  const isOwnName = 'name' in parent && parent.name === node && !isVariableDeclaration(parent);
  if (!isOwnName) into.names.push({ name: node.text, line: line() });
}

function gatherType(node: Node, line: () => number, into: Gathered): void {
  if (node.kind === SyntaxKind.AsyncKeyword) into.waits.push({ name: 'async', line: line() });
  if (node.kind === SyntaxKind.AwaitExpression) into.waits.push({ name: 'await', line: line() });
  if (node.kind === SyntaxKind.AwaitKeyword) into.waits.push({ name: 'for await', line: line() });
  if (node.kind === SyntaxKind.AnyKeyword) into.looseTypes.push({ name: 'any', line: line() });
  if (
    isAsExpression(node) &&
    isAsExpression(node.expression) &&
    node.expression.type.kind === SyntaxKind.UnknownKeyword
  ) {
    into.looseTypes.push({ name: 'as unknown as', line: line() });
  }
}

function gatherFunction(node: Node, firstLine: number, lastLine: number, into: Gathered): void {
  const isGenerator = 'asteriskToken' in node && node.asteriskToken !== undefined;
  into.functions.push({
    name: nameOf(node) ?? nameOf(node.parent) ?? '(anonymous)',
    line: firstLine,
    lineCount: lastLine - firstLine + 1,
    isGenerator,
    hasJsx: containsJsx(node),
  });
}

function containsJsx(node: Node): boolean {
  let found = false;
  node.forEachChild((child) => {
    found ||= isJsxElement(child) || isJsxSelfClosingElement(child) || isJsxFragment(child) || containsJsx(child);
  });
  return found;
}

function gatherExports(source: SourceFile, text: string, lineAt: (at: number) => number, into: Gathered): void {
  let documentedFunction = '';
  for (const statement of source.statements) {
    const names = exportedNames(statement);
    if (names.length === 0) continue;
    const start = statement.getStart(source);
    const comments = text.slice(statement.pos, start).match(/\/\*[\s\S]*?\*\//g) ?? [];
    const hasDoc = comments.at(-1)?.startsWith('/**') === true;
    // Overloads share the comment of the first.
    const isOverload = isFunctionDeclaration(statement) && names[0] === documentedFunction;
    if (isFunctionDeclaration(statement) && hasDoc) documentedFunction = names[0] ?? '';
    for (const name of names) into.exports.push({ name, line: lineAt(start), isDocumented: hasDoc || isOverload });
  }
}

function exportedNames(statement: Node): string[] {
  if (isExportAssignment(statement)) return ['default'];
  if (!/^export\b/.test(statement.getText().replace(/^(\s*\/\*[\s\S]*?\*\/)+\s*/, ''))) return [];
  if (isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap((declaration) => {
      const name: Node = declaration.name;
      if (isObjectBindingPattern(name) || isArrayBindingPattern(name)) return [name.getText()];
      return isIdentifier(name) ? [name.text] : [];
    });
  }
  const isNamed =
    isFunctionDeclaration(statement) ||
    isClassDeclaration(statement) ||
    isInterfaceDeclaration(statement) ||
    isTypeAliasDeclaration(statement) ||
    isEnumDeclaration(statement) ||
    isModuleDeclaration(statement);
  return isNamed ? [nameOf(statement) ?? 'default'] : [];
}

function nameOf(node: Node): string | null {
  if (!('name' in node)) return null;
  const name = node.name as Node | undefined;
  return name !== undefined && typeof name === 'object' ? name.getText() : null;
}

function lineFinder(text: string): (at: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (at) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
