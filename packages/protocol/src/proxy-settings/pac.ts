import { Parser } from 'acorn';
import { fail, isWinRmError } from '../errors.ts';
import type { ProxyRoute, RouteTarget } from '../road/route.ts';
import { callValue } from './_pac-call.ts';
import { executeBody } from './_pac-execute.ts';
import { makeGlobalScope } from './_pac-globals.ts';
import { Machine, plainWords } from './_pac-machine.ts';
import { declarationsOf, type Program } from './_pac-nodes.ts';
import { Closure, isCallable, ScriptThrow, typeName, type Value } from './_pac-values.ts';
import { readPacAnswer } from './pac-answer.ts';
import type { SettingsWarning } from './settings.ts';

/** The largest script that is read, in characters; Chromium's limit is as many bytes. */
export const MAX_PAC_CHARACTERS = 1 << 20;
/** Steps a script may take: about a second on a slow machine. */
const MAX_PAC_STEPS = 5_000_000;
/** What a script may take in memory, counted without giving back. */
const MAX_PAC_BYTES = 32 * 1024 * 1024;

/** What the evaluation may know and use. Without `resolve` and `myIpAddress` the script learns no address. */
export interface PacOptions {
  /** Milliseconds since 1970, for dateRange and its like. */
  readonly nowMs: number;
  /** The address of the machine that connects. */
  readonly myIpAddress?: string | undefined;
  /** The address of a name, when it is known; null otherwise. */
  readonly resolve?: ((name: string) => string | null) | undefined;
  readonly maxSteps?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** What a PAC script says about a target. */
export interface PacVerdict {
  /** The roads to try, in order; without hops is direct. */
  readonly routes: readonly ProxyRoute[];
  /** What the script returned, without control characters. */
  readonly raw: string;
  /** Names it wanted resolved, and "myIpAddress()", and was not told: with them its answer might be another one. */
  readonly asked: readonly string[];
  readonly alerts: readonly string[];
  readonly warnings: readonly SettingsWarning[];
}

/**
 * Asks a proxy auto-config script about a target. The script runs in an evaluator of our own: no value in it is an
 * object of this program, there is no network, no clock but the one given, and steps, memory and depth are counted.
 *
 * It is told no more than browsers tell it: `https://host:port/` without path (Chromium since version 75, Firefox
 * unless network.proxy.autoconfig_url_include_path is set), the port left out where it is the scheme's own, and for
 * http the same, since the path of a WinRM target says nothing. FindProxyForURL is asked before FindProxyForURLEx.
 *
 * @throws pac.unreadable, pac.not-allowed, pac.too-long, pac.gave-no-answer
 */
export function evaluatePac(script: string, target: RouteTarget, options: PacOptions): PacVerdict {
  const machine = new Machine({
    nowMs: options.nowMs,
    myIpAddress: options.myIpAddress ?? null,
    resolve: options.resolve ?? (() => null),
    maxSteps: options.maxSteps ?? MAX_PAC_STEPS,
    maxBytes: options.maxBytes ?? MAX_PAC_BYTES,
  });
  const program = parseScript(machine, script);
  const answer = withinLimits(() => run(machine, program, target));
  if (answer === undefined || (typeof answer !== 'string' && answer !== null)) {
    fail('pac.gave-no-answer', { problem: `FindProxyForURL returned ${typeName(answer)}, not a text` });
  }
  // "If the string is null, no proxies should be used", says the format; browsers agree.
  const raw = answer ?? '';
  const { routes, warnings } = readPacAnswer(raw.slice(0, 4096));
  return { routes, raw: plainWords(raw.slice(0, 4096), 4096), asked: machine.asked, alerts: machine.alerts, warnings };
}

function run(machine: Machine, program: Program, target: RouteTarget): Value {
  const scope = makeGlobalScope();
  const { vars, functions } = declarationsOf(program, program.body);
  for (const name of vars) scope.declare(name);
  for (const made of functions) scope.define(made.id.name, new Closure(made, scope, undefined));
  executeBody(machine, program, program.body, scope);
  const name = ['FindProxyForURL', 'FindProxyForURLEx'].find((one) => scope.has(one) && isCallable(scope.get(one)));
  if (name === undefined) return fail('pac.gave-no-answer', { problem: 'it has no function FindProxyForURL' });
  const host = target.host.toLowerCase();
  return callValue(machine, scope.get(name), undefined, [pacUrlOf({ ...target, host }), host]);
}

/** The URL that a script is asked about. */
export function pacUrlOf({ scheme, host, port }: RouteTarget): string {
  const isOwnPort = port === (scheme === 'https' ? 443 : 80);
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}${isOwnPort ? '' : `:${port}`}/`;
}

declare module 'acorn' {
  /** Not in its own types; without it `parseScript` counts no names, and a test says so. */
  interface Parser {
    readonly scopeStack: readonly {
      readonly var: unknown[];
      readonly lexical: unknown[];
      readonly functions: unknown[];
    }[];
    declareName(name: string, kind: number, at: number): void;
  }
}

/** A parser that counts what acorn does without counting: each declared name is looked for among those before it. */
function countingParser(machine: Machine): typeof Parser {
  return class extends Parser {
    override declareName(name: string, kind: number, at: number): void {
      let places = this.scopeStack.length;
      for (const scope of this.scopeStack) places += scope.var.length + scope.lexical.length + scope.functions.length;
      machine.step(1 + (places >> 5));
      super.declareName(name, kind, at);
    }
  };
}

function parseScript(machine: Machine, script: string): Program {
  if (script.length > MAX_PAC_CHARACTERS) fail('pac.too-long', { limit: 'script' });
  machine.step(script.length >> 4);
  try {
    return countingParser(machine).parse(script.replace(/^\ufeff/, ''), {
      ecmaVersion: 2023,
      sourceType: 'script',
      locations: false,
    });
  } catch (error) {
    if (isWinRmError(error)) throw error;
    // A full stack comes as a RangeError, or in acorn's own words.
    if (!(error instanceof SyntaxError) || /stack space/.test(error.message)) fail('pac.too-long', { limit: 'depth' });
    const { line, column } = (error as SyntaxError & { loc?: { line: number; column: number } }).loc ?? {
      line: 0,
      column: 0,
    };
    const problem = error.message
      .replace(/ \(\d+:\d+\)$/, '')
      .replace(/'[^']*'/g, '…')
      .slice(0, 100);
    return fail('pac.unreadable', { line, column: column + 1, problem });
  }
}

/** Turns what a script throws, and a stack that is full before our own count says so, into our errors. */
function withinLimits(work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (isWinRmError(error)) throw error;
    if (error instanceof ScriptThrow) return fail('pac.gave-no-answer', { problem: describeThrown(error.value) });
    if (error instanceof RangeError) return fail('pac.too-long', { limit: 'depth' });
    throw error;
  }
}

function describeThrown(value: Value): string {
  const text = withoutMachine(value);
  return `the script failed: ${plainWords(text.slice(0, 4096), 200)}`;
}

/** An error's own words; nothing of the script's is called for it. */
function withoutMachine(value: Value): string {
  if (value === null || typeof value !== 'object') return String(value);
  const [name, message] = [value.props.get('name'), value.props.get('message')];
  return typeof message === 'string' ? `${typeof name === 'string' ? name : 'Error'}: ${message}` : 'an object';
}
