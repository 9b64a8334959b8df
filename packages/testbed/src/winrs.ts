import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { attributeOf, childOf, childrenOf, type XmlElement } from '../../protocol/src/codec/xml.ts';
import { ACTIONS, NAMESPACES, RESOURCES } from '../../protocol/src/wsman/uris.ts';
import type { KnownAccount } from './accounts.ts';
import type { Receipt } from './command.ts';
import type { HostJournal } from './journal.ts';
import type { HostLimits } from './limits.ts';
import { HostShell } from './shell.ts';
import { durationMs, escapeAnything, type SoapRequest } from './soap.ts';
import { faults } from './soap-fault.ts';

/** Who asks, and whether they are still there. */
export interface Caller {
  readonly account: KnownAccount;
  readonly address: string;
  /** Aborted when the connection is gone, so that output is not handed to nobody. */
  readonly gone: AbortSignal;
}

/** A reply before it is an envelope: its action and finished markup. */
export interface Reply {
  readonly action: string;
  readonly body: string;
}

/** A client that does not say how large a reply may be gets the size every WinRM allows. [MS-WSMV] 2.2.4.10 */
const DEFAULT_ENVELOPE_BYTES = 153_600;
/** DMTF DSP0226, section 13.1: no service needs to bother with less. */
const MIN_ENVELOPE_BYTES = 8192;
/** Room for all of a Receive reply but its output. */
const REPLY_FRAME_BYTES = 2560;

/** The Windows Remote Shell service: shells, commands and their streams. [MS-WSMV] 3.1.4 */
export class WinRsService {
  readonly #limits: HostLimits;
  readonly #journal: HostJournal;
  readonly #directory: string;
  readonly #shells = new Map<string, HostShell>();
  readonly #operationCounts = new Map<string, number>();

  /** @param directory where shells begin that name no directory; null for the home directory */
  constructor(limits: HostLimits, journal: HostJournal, directory: string | null) {
    this.#limits = limits;
    this.#journal = journal;
    this.#directory = directory ?? homedir();
  }

  /** How many shells are open. */
  get shellCount(): number {
    return this.#shells.size;
  }

  /** Carries out one request. @throws SoapFault */
  async perform(request: SoapRequest, caller: Caller): Promise<Reply> {
    const user = userName(caller.account);
    const count = this.#operationCounts.get(user) ?? 0;
    if (count >= this.#limits.maxOperationsPerUser) throw faults.tooManyOperations(this.#limits.maxOperationsPerUser);
    this.#operationCounts.set(user, count + 1);
    try {
      return { action: `${request.action}Response`, body: await this.#dispatch(request, caller) };
    } finally {
      this.#operationCounts.set(user, (this.#operationCounts.get(user) ?? 1) - 1);
    }
  }

  /** Closes every shell, as an administrator or a stopping service would. @returns how many there were */
  closeShells(reason: string): number {
    const shells = [...this.#shells.values()];
    for (const shell of shells) shell.close(reason);
    return shells.length;
  }

  #dispatch(request: SoapRequest, caller: Caller): Promise<string> | string {
    if (request.action === ACTIONS.get) return this.#getConfig(request, caller);
    const operation = this.#operations[request.action];
    const isCreate = request.action === ACTIONS.create;
    if (operation === undefined && !isCreate) throw faults.unsupportedAction(request.action);
    if (request.resourceUri !== RESOURCES.cmd) throw faults.badResource(request.resourceUri);
    if ((request.maxEnvelopeBytes ?? DEFAULT_ENVELOPE_BYTES) < MIN_ENVELOPE_BYTES)
      throw faults.envelopeTooLarge(MIN_ENVELOPE_BYTES);
    if (!caller.account.isAdministrator) throw faults.accessDenied();
    if (operation === undefined) return this.#create(request, caller);
    const shell = this.#shell(request.shellId ?? '', caller);
    return shell.use(() => operation(shell, request, caller));
  }

  readonly #operations: Readonly<
    Record<string, (shell: HostShell, request: SoapRequest, caller: Caller) => Promise<string>>
  > = {
    [ACTIONS.command]: async (shell, request) => {
      const line = required(request.body, 'CommandLine');
      const words = [required(line, 'Command'), ...childrenOf(line, NAMESPACES.rsp, 'Arguments')];
      const text = words.map((word) => word.text).filter((word) => word !== '');
      if (text.length === 0) throw faults.badSchema('an empty Command');
      return `<rsp:CommandResponse><rsp:CommandId>${shell.start(text.join(' ')).id}</rsp:CommandId></rsp:CommandResponse>`;
    },
    [ACTIONS.receive]: async (shell, request, caller) => {
      const stream = required(required(request.body, 'Receive'), 'DesiredStream');
      const command = shell.command(attributeOf(stream, 'CommandId') ?? '');
      const wanted = new Set((stream.text.trim() || 'stdout stderr').split(/\s+/));
      const limit = Math.min(request.maxEnvelopeBytes ?? DEFAULT_ENVELOPE_BYTES, this.#limits.maxEnvelopeBytes);
      const room = Math.floor((limit - REPLY_FRAME_BYTES) / 4) * 3;
      return writeReceipt(command.id, await command.receive(wanted, room, this.#timeoutMs(request), caller.gone));
    },
    [ACTIONS.send]: async (shell, request) => {
      for (const stream of childrenOf(required(request.body, 'Send'), NAMESPACES.rsp, 'Stream')) {
        const command = shell.command(attributeOf(stream, 'CommandId') ?? '');
        const isLast = /^(?:true|1)$/i.test(attributeOf(stream, 'End')?.trim() ?? '');
        await command.send(Buffer.from(stream.text, 'base64'), isLast, this.#timeoutMs(request));
      }
      return '<rsp:SendResponse/>';
    },
    [ACTIONS.signal]: async (shell, request) => {
      const signal = required(request.body, 'Signal');
      const command = shell.command(attributeOf(signal, 'CommandId') ?? '');
      const code = required(signal, 'Code').text.trim().toLowerCase();
      if (code === `${NAMESPACES.rsp}/signal/ctrl_c`) command.signal('SIGINT');
      else if (code === `${NAMESPACES.rsp}/signal/ctrl_break`) command.signal('SIGQUIT');
      else if (code === `${NAMESPACES.rsp}/signal/terminate`) shell.terminate(command);
      else throw faults.badSchema('an unknown signal');
      return '<rsp:SignalResponse/>';
    },
    [ACTIONS.delete]: async (shell) => {
      shell.close('deleted');
      return '';
    },
  };

  #create(request: SoapRequest, caller: Caller): string {
    const asked = required(request.body, 'Shell');
    const owner = userName(caller.account);
    const { maxShellsPerUser, minShellIdleTimeoutMs, shellIdleTimeoutMs } = this.#limits;
    const mine = [...this.#shells.values()].filter((shell) => shell.owner === owner);
    if (mine.length >= maxShellsPerUser) throw faults.tooManyShells(maxShellsPerUser);
    const idle = durationMs(childOf(asked, NAMESPACES.rsp, 'IdleTimeOut')?.text.trim() ?? '') ?? shellIdleTimeoutMs;
    const directory = childOf(asked, NAMESPACES.rsp, 'WorkingDirectory')?.text ?? this.#directory;
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw faults.badDirectory();
    const shell = new HostShell({
      owner,
      directory,
      variables: readVariables(asked),
      idleTimeoutMs: Math.min(Math.max(idle, minShellIdleTimeoutMs), shellIdleTimeoutMs),
      limits: this.#limits,
      journal: this.#journal,
      onClose: () => this.#shells.delete(shell.id),
    });
    this.#shells.set(shell.id, shell);
    return writeCreated(shell, caller.address);
  }

  /** Other people's shells are not there. @throws SoapFault 2150858843 */
  #shell(id: string, caller: Caller): HostShell {
    const shell = this.#shells.get(id.replace(/^uuid:/i, '').toUpperCase());
    if (shell === undefined || shell.owner !== userName(caller.account)) throw faults.shellGone(id);
    return shell;
  }

  #timeoutMs(request: SoapRequest): number {
    return Math.min(request.timeoutMs ?? this.#limits.maxTimeoutMs, this.#limits.maxTimeoutMs);
  }

  #getConfig(request: SoapRequest, caller: Caller): string {
    if (request.resourceUri !== RESOURCES.config) throw faults.badResource(request.resourceUri);
    if (!caller.account.isAdministrator) throw faults.accessDenied();
    return (
      `<cfg:Config xmlns:cfg="${NAMESPACES.cfg}">` +
      `<cfg:MaxEnvelopeSizekb>${Math.floor(this.#limits.maxEnvelopeBytes / 1024)}</cfg:MaxEnvelopeSizekb>` +
      `<cfg:MaxTimeoutms>${this.#limits.maxTimeoutMs}</cfg:MaxTimeoutms>` +
      '<cfg:Service><cfg:AllowUnencrypted>false</cfg:AllowUnencrypted><cfg:Auth><cfg:Basic>false</cfg:Basic>' +
      '<cfg:Negotiate>true</cfg:Negotiate></cfg:Auth></cfg:Service>' +
      `<cfg:Winrs><cfg:AllowRemoteShellAccess>true</cfg:AllowRemoteShellAccess>` +
      `<cfg:IdleTimeout>${this.#limits.shellIdleTimeoutMs}</cfg:IdleTimeout>` +
      `<cfg:MaxShellsPerUser>${this.#limits.maxShellsPerUser}</cfg:MaxShellsPerUser>` +
      `<cfg:MaxProcessesPerShell>${this.#limits.maxCommandsPerShell}</cfg:MaxProcessesPerShell></cfg:Winrs></cfg:Config>`
    );
  }
}

/** DOMAIN\user as the journal and a shell's owner spell it. */
export function userName(account: KnownAccount): string {
  return `${account.domain}\\${account.user}`;
}

function required(parent: XmlElement, local: string): XmlElement {
  const found = childOf(parent, NAMESPACES.rsp, local);
  if (found === null) throw faults.badSchema(`no ${local}`);
  return found;
}

function readVariables(shell: XmlElement): Record<string, string> {
  const environment = childOf(shell, NAMESPACES.rsp, 'Environment');
  const variables = environment === null ? [] : childrenOf(environment, NAMESPACES.rsp, 'Variable');
  return Object.fromEntries(variables.map((variable) => [attributeOf(variable, 'Name') ?? '', variable.text]));
}

function writeCreated(shell: HostShell, clientAddress: string): string {
  const idle = `PT${(shell.idleTimeoutMs / 1000).toFixed(3)}S`;
  return (
    '<x:ResourceCreated><a:Address>http://localhost/wsman</a:Address><a:ReferenceParameters>' +
    `<w:ResourceURI>${RESOURCES.cmd}</w:ResourceURI>` +
    `<w:SelectorSet><w:Selector Name="ShellId">${shell.id}</w:Selector></w:SelectorSet>` +
    '</a:ReferenceParameters></x:ResourceCreated>' +
    `<rsp:Shell><rsp:ShellId>${shell.id}</rsp:ShellId><rsp:ResourceUri>${RESOURCES.cmd}</rsp:ResourceUri>` +
    `<rsp:Owner>${escapeAnything(shell.owner)}</rsp:Owner><rsp:ClientIP>${escapeAnything(clientAddress)}</rsp:ClientIP>` +
    `<rsp:IdleTimeOut>${idle}</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>` +
    '<rsp:OutputStreams>stdout stderr</rsp:OutputStreams>' +
    '<rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime><rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity></rsp:Shell>'
  );
}

function writeReceipt(commandId: string, receipt: Receipt): string {
  const chunks = receipt.chunks.map(
    ({ stream, bytes }) =>
      `<rsp:Stream Name="${stream}" CommandId="${commandId}">${bytes.toString('base64')}</rsp:Stream>`,
  );
  const ends = receipt.ended.map((stream) => `<rsp:Stream Name="${stream}" CommandId="${commandId}" End="true"/>`);
  const state = `CommandId="${commandId}" State="${NAMESPACES.rsp}/CommandState/`;
  const last =
    receipt.exitCode === null
      ? `<rsp:CommandState ${state}Running"/>`
      : `<rsp:CommandState ${state}Done"><rsp:ExitCode>${receipt.exitCode}</rsp:ExitCode></rsp:CommandState>`;
  return `<rsp:ReceiveResponse>${chunks.join('')}${ends.join('')}${last}</rsp:ReceiveResponse>`;
}
