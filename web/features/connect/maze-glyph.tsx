import type { RoomId } from './maze-ways.ts';

/** The hop line as a sign: this tab, the relay, what stands in the way, and the host. What is wrong is in the accent. */
export function MazeGlyph({ room }: { room: RoomId }) {
  const { line, mark, marked } = DRAWN[room];
  return (
    <svg aria-hidden="true" viewBox="0 0 120 20" fill="none" strokeWidth="2" className="h-5 w-30 shrink-0">
      {RINGS.map((x, index) => (
        <circle key={x} cx={x} cy="10" r="5" className={index === marked ? 'stroke-accent' : 'stroke-ink-soft'} />
      ))}
      <path d={line} className="stroke-line-strong" />
      <path d={mark} className="stroke-accent" />
    </svg>
  );
}

const RINGS = [6, 42, 78, 114];
const [FIRST, SECOND, THIRD] = ['M12 10h24', 'M48 10h24', 'M84 10h24'];

/** The lines between the rings, the line that is special, and the ring that is (-1 for none). */
const DRAWN: Readonly<Record<RoomId, { readonly line: string; readonly mark: string; readonly marked: number }>> = {
  straight: { line: `${FIRST}${SECOND}${THIRD}`, mark: '', marked: -1 },
  // A bar before the gate.
  asks: { line: `${FIRST}${SECOND}${THIRD}`, mark: 'M67 3v14', marked: 2 },
  // The line leaves its place.
  moves: { line: `${FIRST}${SECOND}`, mark: 'M84 10h4l5-7h15M93 17h15', marked: 2 },
  // A gap.
  cuts: { line: `${FIRST}${SECOND}`, mark: 'M84 10h8m8 0h8M93 4l-2 12', marked: 2 },
  // An eye in the ring.
  inspects: { line: `${FIRST}${SECOND}${THIRD}`, mark: 'M77 10h2', marked: 2 },
  // A broken line on this side of the relay.
  strips: { line: `${SECOND}${THIRD}`, mark: 'M12 10h3m4 0h3m4 0h3m4 0h3', marked: 1 },
};
