import { linesOf } from './line-editor.ts';

/** Lines that were entered and have not been sent: for the prompt, and for the program that runs. */
export class WaitingLines {
  /** For the prompt, one after the other. */
  commands: string[] = [];
  /** For the program, while the link is broken. Hidden ones are never shown, kept or given back. */
  input: { readonly text: string; readonly isHidden: boolean }[] = [];

  /** As a person counts them. */
  get count(): number {
    return this.commands.length + this.input.reduce((sum, { text }) => sum + linesOf(text).length, 0);
  }

  /** What the program would have been told, as far as it may be seen. */
  get inputText(): string {
    return this.input.flatMap(({ text, isHidden }) => (isHidden ? [] : [text])).join('\n');
  }

  /** Forgets all of them. @returns what may be put into the editor */
  clear(): string {
    const text = [this.inputText, ...this.commands].filter((one) => one !== '').join('\n');
    this.commands = [];
    this.input = [];
    return text;
  }
}
