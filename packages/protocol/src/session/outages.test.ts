import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { utf8Decode } from '../bytes/bytes.ts';
import { isWinRmError, WinRmError } from '../errors.ts';
import type { RoadOpener } from '../opened-road.ts';
import { fixedPlatform, settled } from '../testing/index.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import { Session } from './session.ts';
import { parseTarget } from './target.ts';

/** What may happen to a session, in any order and number. */
const HAPPENINGS = ['type', 'type', 'print', 'print', 'cut', 'down', 'up', 'wait', 'hurry', 'lose', 'swallow'] as const;
type Happening = (typeof HAPPENINGS)[number];

/** A session with a shell, and a road that fares as a list says. Returns what either side has seen of the other. */
async function live(happenings: readonly Happening[]) {
  const double = new WinRmDouble();
  const platform = fixedPlatform({ random: new Uint8Array(100_000) });
  let isDown = false;
  const openRoad: RoadOpener = (...words) => {
    if (isDown) throw new WinRmError('relay.unreachable', { url: '' });
    return double.openRoad(...words);
  };
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'ntlm',
    credential: parseCredential('CORP\\alice', 'Passw0rd!'),
    openRoad,
    platform,
    shell: { kind: 'interactive', codePage: 65001 },
  });
  await session.open();
  let shown = '';
  const reading = (async () => {
    for await (const { stream, bytes } of session.output) shown += stream === 'gap' ? '|' : utf8Decode(bytes);
  })().catch((error: unknown) => error);
  const fates = new Map<string, Promise<'taken' | WinRmError>>();
  let printed = '';
  const act: Record<Happening, () => unknown> = {
    type: () => {
      const line = `<${fates.size}>`;
      const known = (error: unknown) => (isWinRmError(error) ? error : expect.fail(String(error)));
      fates.set(
        line,
        session.writeText(line).then(() => 'taken' as const, known),
      );
    },
    print: () => {
      printed += String.fromCharCode(97 + (printed.length % 26));
      double.write('stdout', printed.slice(-1));
    },
    cut: () => double.endConnections(),
    down: () => {
      isDown = true;
      double.endConnections();
    },
    up: () => {
      isDown = false;
    },
    wait: () => platform.advance(7000),
    hurry: () => session.hurry(),
    lose: () => {
      double.before = ({ name }) => (name === 'Send' ? once(double, 'before') : undefined);
    },
    swallow: () => {
      double.after = ({ name }) => (name === 'Send' || name === 'Receive' ? once(double, 'after') : undefined);
    },
  };
  for (const happening of happenings) {
    await act[happening]();
    await settled();
  }
  isDown = false;
  for (let step = 0; step < 120; step++) {
    if (step % 20 === 19) double.expire(); // the server says "nothing yet", as it does
    await platform.advance(500); // whatever waits for an answer is over by the end
  }
  double.exit(0);
  await platform.advance(1000);
  const lost = await reading;
  const state = session.state.at;
  await session.close();
  return { double, session, state, lost, shown, printed, fates: new Map(await settledOf(fates)) };
}

function once(double: WinRmDouble, hook: 'before' | 'after'): 'drop' {
  double[hook] = () => undefined;
  return 'drop';
}

function settledOf<Value>(fates: ReadonlyMap<string, Promise<Value>>): Promise<(readonly [string, Value])[]> {
  return Promise.all([...fates].map(async ([line, fate]) => [line, await fate] as const));
}

it('sends no line twice and none out of order, and marks what output is missing, however the road fares', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...HAPPENINGS), { maxLength: 40 }), async (happenings) => {
      const { double, lost, state, shown, printed, fates } = await live(happenings);
      const taken = double.input.map(({ text }) => text).join('');
      let at = 0;
      for (const [line, fate] of fates) {
        expect(taken.split(line).length - 1).toBeLessThanOrEqual(1);
        const found = taken.indexOf(line);
        if (found >= 0) {
          expect(found).toBeGreaterThanOrEqual(at);
          at = found;
        }
        if (fate === 'taken') expect(found).toBeGreaterThanOrEqual(0);
        else if (fate.code !== 'shell.fate-unknown') expect(found).toBe(-1);
      }
      expect(double.names.filter((name) => name === 'Create' || name === 'Command')).toHaveLength(2);
      if (state === 'ended') expect(lost).toBeUndefined();
      // What is shown is what was printed, with pieces missing only where a gap stands.
      const pieces = shown.split('|').map((piece) => piece.replace(/[^a-z]/g, ''));
      let from = 0;
      for (const piece of pieces) {
        const where = printed.indexOf(piece, from);
        expect(where).toBeGreaterThanOrEqual(from);
        from = where + piece.length;
      }
      if (pieces.length === 1 && state === 'ended') expect(shown).toBe(printed);
      else if (state === 'ended') expect(printed.startsWith(pieces[0] ?? '')).toBe(true);
    }),
    { numRuns: 60 },
  );
}, 60_000);
