import { fromBase64, toBase64 } from '../bytes/bytes.ts';
import { attributeOf, childOf, childrenOf, element, type XmlElement, type XmlMarkup } from '../codec/xml.ts';
import { fail } from '../errors.ts';
import { readableLine } from '../http/evidence.ts';
import { ACTIONS, COMMAND_DONE, NAMESPACES, RESOURCES, SIGNALS, type SignalName } from './uris.ts';

/** One thing to ask of a server, and how to read the answer. */
export interface Operation<Reply> {
  /** For progress, the journal and errors. */
  readonly name: string;
  readonly action: string;
  readonly resourceUri: string;
  readonly selectors: readonly (readonly [name: string, value: string])[];
  readonly options: readonly (readonly [name: string, value: string])[];
  readonly body: XmlMarkup | null;
  /** How long the server may take. */
  readonly timeoutSeconds: number;
  /** How long we wait for it before the connection counts as dead, where that is longer. */
  readonly waitSeconds?: number;
  /** Whether asking twice does no harm; a Command, a Send or a Ctrl+C asked twice would. */
  readonly isRepeatable: boolean;
  /**
   * Whether it may ride on the last leg of authentication, where an answer nobody sealed may make us ask again. A shell
   * made twice is closed by the server when it has idled; a command run twice is not undone.
   */
  readonly mayRide: boolean;
  /** @throws wsman.malformed */
  read(body: XmlElement): Reply;
}

/** What Create is told. [MS-WSMV] 2.2.4.36 ShellType */
export interface CreateOptions {
  readonly codePage: number;
  readonly noProfile: boolean;
  readonly workingDirectory: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly idleTimeoutSeconds: number;
}

/** Part of what a command wrote. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/**
 * A place where output may be missing: the connection was lost under a Receive, and nobody knows whether the server had
 * given output away with it.
 */
export interface OutputGap {
  readonly stream: 'gap';
  /** None; so that whoever wants bytes alone need not ask. */
  readonly bytes: Uint8Array;
}

/** An answer to Receive. */
export interface ReceiveReply {
  /** In the order the server gave them. */
  readonly chunks: readonly OutputChunk[];
  /** The exit code as written, once the command has ended; null while it runs. */
  readonly exitCode: number | null;
}

/** The part of a server's configuration that concerns us. [MS-WSMV] 2.2.4.10 ConfigType */
export interface ServerConfig {
  readonly maxEnvelopeBytes: number | null;
  readonly allowUnencrypted: boolean | null;
}

/** What Identify tells. DMTF DSP0226, section 11 */
export interface Identity {
  readonly protocolVersion: string;
  readonly productVendor: string;
  readonly productVersion: string;
}

/**
 * How long a Receive waits for news: under the 25 s at which impatient proxies and address translators begin to cut,
 * and well under the server's cap of 60 s (MaxTimeoutms).
 */
export const RECEIVE_TIMEOUT_SECONDS = 20;

/** How long anything else may take: the server's own cap. [MS-WSMV] 2.2.4.10 MaxTimeoutms */
export const OPERATION_TIMEOUT_SECONDS = 60;

/** How long a server may take to close something; nobody waits for a farewell. */
const CLOSING_TIMEOUT_SECONDS = 5;

/** Opens a shell; the reply is its identifier, to be sent back exactly as it came. [MS-WSMV] 3.1.4.5 */
export function createShell(options: CreateOptions): Operation<string> {
  const variables = Object.entries(options.environment).map(([name, value]) =>
    element('rsp:Variable', { Name: name }, value),
  );
  // The order of these children is the schema's.
  const content = [
    ...(variables.length > 0 ? [element('rsp:Environment', {}, ...variables)] : []),
    ...(options.workingDirectory === null ? [] : [element('rsp:WorkingDirectory', {}, options.workingDirectory)]),
    element('rsp:IdleTimeOut', {}, `PT${options.idleTimeoutSeconds}S`),
    element('rsp:InputStreams', {}, 'stdin'),
    element('rsp:OutputStreams', {}, 'stdout stderr'),
  ];
  return {
    ...COMMON,
    name: 'Create',
    mayRide: true,
    action: ACTIONS.create,
    options: [
      ['WINRS_NOPROFILE', options.noProfile ? 'TRUE' : 'FALSE'],
      ['WINRS_CODEPAGE', String(options.codePage)],
    ],
    body: element('rsp:Shell', {}, ...content),
    read: readShellId,
  };
}

/** Starts a command; the reply is its identifier. [MS-WSMV] 3.1.4.11 */
export function runCommand(
  shellId: string,
  commandLine: string,
  options: { readonly hasConsoleStdin: boolean },
): Operation<string> {
  return {
    ...COMMON,
    name: 'Command',
    action: ACTIONS.command,
    selectors: shell(shellId),
    options: [
      ['WINRS_CONSOLEMODE_STDIN', options.hasConsoleStdin ? 'TRUE' : 'FALSE'],
      ['WINRS_SKIP_CMD_SHELL', 'FALSE'],
    ],
    body: element('rsp:CommandLine', {}, element('rsp:Command', {}, commandLine)),
    read(body) {
      const reply = childOf(body, NAMESPACES.rsp, 'CommandResponse');
      const id = reply && childOf(reply, NAMESPACES.rsp, 'CommandId')?.text.trim();
      return id || malformed('CommandResponse without CommandId');
    },
  };
}

/**
 * Asks for output that is there already, to find out whether the shell is. A server that still holds a Receive of an
 * earlier connection may answer only after that one: so we wait as long as that may take.
 */
export function receiveAtOnce(shellId: string, commandId: string): Operation<ReceiveReply> {
  return { ...receive(shellId, commandId), timeoutSeconds: 1, waitSeconds: RECEIVE_TIMEOUT_SECONDS };
}

/** Waits for output. Asking again does no harm on the server. [MS-WSMV] 3.1.4.14 */
export function receive(shellId: string, commandId: string): Operation<ReceiveReply> {
  return {
    ...COMMON,
    name: 'Receive',
    action: ACTIONS.receive,
    selectors: shell(shellId),
    // Lets the server answer early, so that an idle poll is told apart from a dead one.
    options: [['WSMAN_CMDSHELL_OPTION_KEEPALIVE', 'TRUE']],
    timeoutSeconds: RECEIVE_TIMEOUT_SECONDS,
    isRepeatable: true,
    mayRide: true,
    body: element('rsp:Receive', {}, element('rsp:DesiredStream', { CommandId: commandId }, 'stdout stderr')),
    read: (body) => readOutput(body, commandId),
  };
}

/** Writes to a command's stdin; `isEnd` closes it. [MS-WSMV] 3.1.4.13 */
export function send(shellId: string, commandId: string, bytes: Uint8Array, isEnd: boolean): Operation<void> {
  const attributes = { Name: 'stdin', CommandId: commandId, ...(isEnd ? { End: 'true' } : {}) };
  return {
    ...COMMON,
    name: 'Send',
    action: ACTIONS.send,
    selectors: shell(shellId),
    body: element('rsp:Send', {}, element('rsp:Stream', attributes, toBase64(bytes))),
    read(body) {
      if (childOf(body, NAMESPACES.rsp, 'SendResponse') === null) malformed('no SendResponse');
    },
  };
}

/** Interrupts or ends a command. Ending one twice does no harm; interrupting twice does. [MS-WSMV] 3.1.4.12 */
export function signalCommand(shellId: string, commandId: string, name: SignalName): Operation<void> {
  return {
    ...COMMON,
    name: 'Signal',
    action: ACTIONS.signal,
    selectors: shell(shellId),
    timeoutSeconds: name === 'terminate' ? CLOSING_TIMEOUT_SECONDS : OPERATION_TIMEOUT_SECONDS,
    isRepeatable: name === 'terminate',
    body: element('rsp:Signal', { CommandId: commandId }, element('rsp:Code', {}, SIGNALS[name])),
    read(body) {
      if (childOf(body, NAMESPACES.rsp, 'SignalResponse') === null) malformed('no SignalResponse');
    },
  };
}

/** Closes a shell with everything in it. WS-Transfer, section 3.3 */
export function deleteShell(shellId: string): Operation<void> {
  return {
    ...COMMON,
    name: 'Delete',
    action: ACTIONS.delete,
    selectors: shell(shellId),
    timeoutSeconds: CLOSING_TIMEOUT_SECONDS,
    isRepeatable: true,
    mayRide: true,
    body: null,
    read() {},
  };
}

/** Asks for the server's configuration; people who are not administrators get `wsman.access-denied`. */
export function getConfig(): Operation<ServerConfig> {
  return {
    ...COMMON,
    name: 'Get',
    action: ACTIONS.get,
    resourceUri: RESOURCES.config,
    isRepeatable: true,
    mayRide: true,
    body: null,
    read(body) {
      const config = childOf(body, NAMESPACES.cfg, 'Config') ?? malformed('no Config');
      const service = childOf(config, NAMESPACES.cfg, 'Service');
      const allowed = service && childOf(service, NAMESPACES.cfg, 'AllowUnencrypted')?.text.trim();
      const kilobytes = childOf(config, NAMESPACES.cfg, 'MaxEnvelopeSizekb')?.text.trim() ?? '';
      return {
        maxEnvelopeBytes: /^\d{1,10}$/.test(kilobytes) ? Number(kilobytes) * 1024 : null,
        allowUnencrypted: allowed ? allowed.toLowerCase() === 'true' : null,
      };
    },
  };
}

/** Reads the answer to Identify; null when it is none. A stranger's words, made safe to show. */
export function readIdentity(body: XmlElement): Identity | null {
  const reply = childOf(body, NAMESPACES.wsmid, 'IdentifyResponse');
  if (reply === null) return null;
  const text = (name: string) => readableLine(childOf(reply, NAMESPACES.wsmid, name)?.text ?? null);
  return {
    protocolVersion: text('ProtocolVersion'),
    productVendor: text('ProductVendor'),
    productVersion: text('ProductVersion'),
  };
}

const COMMON = {
  resourceUri: RESOURCES.cmd,
  selectors: [],
  options: [],
  timeoutSeconds: OPERATION_TIMEOUT_SECONDS,
  isRepeatable: false,
  mayRide: false,
};

function shell(shellId: string): readonly (readonly [string, string])[] {
  return [['ShellId', shellId]];
}

/**
 * Newer servers repeat the identifier in rsp:Shell; the reference is what every version gives. White space around it
 * is not part of it (OMI pads).
 */
function readShellId(body: XmlElement): string {
  const created = childOf(body, NAMESPACES.x, 'ResourceCreated') ?? malformed('no ResourceCreated');
  const parameters = childOf(created, NAMESPACES.a, 'ReferenceParameters');
  const selectorSet = parameters && childOf(parameters, NAMESPACES.w, 'SelectorSet');
  const selectors = selectorSet ? childrenOf(selectorSet, NAMESPACES.w, 'Selector') : [];
  const selector = selectors.find((entry) => attributeOf(entry, 'Name')?.toLowerCase() === 'shellid');
  return selector?.text.trim() || malformed('ResourceCreated without ShellId');
}

function readOutput(body: XmlElement, commandId: string): ReceiveReply {
  const reply = childOf(body, NAMESPACES.rsp, 'ReceiveResponse') ?? malformed('no ReceiveResponse');
  const isOurs = (entry: XmlElement): boolean => {
    const id = attributeOf(entry, 'CommandId'); // OMI leaves it out
    return id === null || id.toLowerCase() === commandId.toLowerCase();
  };
  const chunks: OutputChunk[] = [];
  for (const entry of childrenOf(reply, NAMESPACES.rsp, 'Stream')) {
    if (!isOurs(entry)) malformed('output of another command');
    const stream = attributeOf(entry, 'Name');
    const bytes = fromBase64(entry.text) ?? malformed('output that is not base64');
    if ((stream === 'stdout' || stream === 'stderr') && bytes.length > 0) chunks.push({ stream, bytes });
  }
  const states = childrenOf(reply, NAMESPACES.rsp, 'CommandState').filter(isOurs);
  const done = states.find((state) => attributeOf(state, 'State') === COMMAND_DONE);
  return { chunks, exitCode: done ? readExitCode(done) : null };
}

/** Decimal; -1 arrives as -1 or as 4294967295. [MS-WSMV] 2.2.4.10: a command may end without one, which is no failure. */
function readExitCode(state: XmlElement): number {
  const text = childOf(state, NAMESPACES.rsp, 'ExitCode')?.text.trim() ?? '0';
  const code = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return code >= -(2 ** 31) && code < 2 ** 32 ? code : malformed('an exit code that is not 32 bits');
}

function malformed(problem: string): never {
  return fail('wsman.malformed', { problem });
}
