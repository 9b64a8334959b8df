import type { IMarker, Terminal } from '@xterm/xterm';

/** Stretches of stderr kept; the oldest lose their rule past it. */
const MAX_STRETCHES = 2_000;

interface Stretch {
  readonly from: IMarker;
  to: IMarker | null;
  /** Whether the line `to` stands on still holds stderr text. */
  hasLastLine: boolean;
}

/**
 * Draws a rule at the left edge of what came from stderr, in a layer of its own beside the text: the program's own
 * colours stay what they are. Markers follow the lines through scrolling, trimming and reflow.
 */
export class StderrRule {
  readonly #terminal: Terminal;
  readonly #layer: HTMLElement;
  #stretches: Stretch[] = [];
  readonly #rowPx: () => number;
  #isOpen = false;

  /** @param rowPx height of a row, without asking the page for its layout */
  constructor(terminal: Terminal, layer: HTMLElement, rowPx: () => number) {
    this.#terminal = terminal;
    this.#layer = layer;
    this.#rowPx = rowPx;
    // A render follows every scroll and every write, once per frame; scrolling itself is told once per line.
    terminal.onRender(() => this.draw());
  }

  /** Stderr begins where the cursor is. Call it when everything before has been parsed. */
  begin(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const from = this.#terminal.registerMarker(0);
    if (from !== undefined) this.#stretches.push({ from, to: null, hasLastLine: true });
    while (this.#stretches.length > MAX_STRETCHES) disposeStretch(this.#stretches.shift());
  }

  /** Stderr ends where the cursor is. */
  end(): void {
    const last = this.#stretches.at(-1);
    if (!this.#isOpen || last === undefined) return;
    this.#isOpen = false;
    last.to = this.#terminal.registerMarker(0) ?? null;
    last.hasLastLine = this.#terminal.buffer.active.cursorX > 0;
  }

  /** Redraws the rules of the lines in view. */
  draw(): void {
    if (this.#stretches.length === 0 && this.#layer.childElementCount === 0) return;
    const buffer = this.#terminal.buffer.active;
    const top = buffer.viewportY;
    const bottom = top + this.#terminal.rows;
    const cursor = buffer.baseY + buffer.cursorY;
    this.#stretches = this.#stretches.filter((one) => !one.from.isDisposed || (one.to !== null && !one.to.isDisposed));
    const rules: { from: number; to: number }[] = [];
    for (const one of this.#stretches) {
      const from = Math.max(top, one.from.isDisposed ? 0 : one.from.line);
      const end = one.to === null ? cursor : one.to.line;
      const to = Math.min(bottom, one.hasLastLine ? end + 1 : end);
      if (to > from) rules.push({ from: from - top, to: to - top });
    }
    this.#paint(rules);
  }

  #paint(rules: readonly { from: number; to: number }[]): void {
    const cell = this.#rowPx();
    while (this.#layer.childElementCount > rules.length) this.#layer.lastElementChild?.remove();
    rules.forEach((rule, at) => {
      let mark = this.#layer.children.item(at);
      if (!(mark instanceof HTMLElement)) {
        mark = document.createElement('i');
        this.#layer.append(mark);
      }
      if (!(mark instanceof HTMLElement)) return;
      mark.style.top = `${rule.from * cell}px`;
      mark.style.height = `${(rule.to - rule.from) * cell}px`;
    });
  }
}

function disposeStretch(stretch: Stretch | undefined): void {
  stretch?.from.dispose();
  stretch?.to?.dispose();
}
