import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One measured number beside another's, in the same run on the same machine. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Who was measured beside us, or what the goal is. */
  readonly peer: string;
  /** Null when the peer is not installed. */
  readonly peerValue: number | null;
  /** What one must know to read the number; place and commit are added. */
  readonly note: string;
}

/** Takes a figure as soon as it is known. */
export type Say = (figure: Figure) => void;

/** One group of figures; it starts what it needs and stops it again. */
export type Bench = (say: Say) => Promise<void>;

/** Prints each figure as a line of JSON when it comes, and all of them as a table at the end. */
export class Report {
  readonly #figures: Figure[] = [];
  readonly #where = `loopback, ${availableParallelism()} cores, commit ${commit()}`;

  /** Prints one figure. */
  readonly say: Say = (figure) => {
    const { name, value, unit, peer, peerValue } = figure;
    const note = `${figure.note}; ${this.#where}`;
    const shown = peerValue === null ? null : rounded(peerValue);
    const kept = { name, value: rounded(value), unit, peer, peerValue: shown, note };
    this.#figures.push(kept);
    console.log(JSON.stringify(kept));
  };

  /** The table, one row for each figure. */
  table(): string {
    const rows = this.#figures.map(({ name, value, unit, peer, peerValue, note }) => [
      name,
      `${value} ${unit}`,
      peerValue === null ? `${peer}: missing` : `${peer}: ${peerValue}`,
      note.replace(`; ${this.#where}`, ''),
    ]);
    const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
    const lines = rows.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
    return `\nMeasured on ${this.#where}\n${lines.join('\n')}\n`;
  }
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the share `q` of all values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Three digits are more than a shared machine can promise. */
function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

function commit(): string {
  try {
    const git = (...words: string[]) => execFileSync('git', words, { cwd: ROOT, encoding: 'utf8' }).trim();
    const isDirty = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isDirty ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
