import type { WinRmError } from '@fairlead/protocol';
import type { Block } from './block-log.ts';
import type { LineHistory } from './history.ts';
import type { MojibakeHint } from './mojibake.ts';
import type { Screen } from './screen/screen.ts';

/** What a person sees of a shell beside its output. A new object for each change. */
export interface ShellView {
  /** The prompt to type at, or "" while none was seen. */
  readonly prompt: string;
  /** Whether a command runs, as far as anyone can know: without prompts from the far end nobody can. */
  readonly isRunning: boolean;
  /** Lines that wait for the running command to end, or for the link. */
  readonly queuedCount: number;
  /** Whether what is typed leaves at once: lines wait while the link to the relay is broken. */
  readonly isLinked: boolean;
  /** When an interrupt was sent that has not been answered, on the page's clock. */
  readonly stoppingSinceMs: number | null;
  /** The program that runs seems to ask for a password. */
  readonly seemsSecret: boolean;
  readonly mojibake: MojibakeHint | null;
  /** The last thing that went wrong with typing: the line was not sent, or nobody knows. */
  readonly inputError: WinRmError | null;
  /** The block that ended last, for an announcement. */
  readonly lastEnded: Block | null;
  /** Text that belongs into the editor: written before a reload, or entered and never sent. */
  readonly offered: { readonly text: string } | null;
}

/** What a shell is made of. */
export interface LiveShellParts {
  readonly screen: Screen;
  readonly history: LineHistory;
  readonly clock: () => number;
  readonly kind: 'interactive' | 'command';
  readonly language: string;
  /** Command of a `command` shell: its block begins at once. */
  readonly command: string;
}

/** A shell that nothing has happened to. */
export const FRESH: ShellView = {
  prompt: '',
  isRunning: false,
  queuedCount: 0,
  isLinked: true,
  stoppingSinceMs: null,
  seemsSecret: false,
  mojibake: null,
  inputError: null,
  lastEnded: null,
  offered: null,
};
