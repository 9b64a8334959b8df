import { expect, it } from 'vitest';
import { parseCredential } from '../auth/credential.ts';
import { utf8Decode } from '../bytes/bytes.ts';
import { fixedPlatform, settled } from '../testing/index.ts';
import { WinRmDouble } from '../testing/winrm-double.ts';
import { Session } from './session.ts';
import { parseTarget } from './target.ts';

/** Something on the road cuts what has been silent for ten seconds; the server answers "nothing yet" when it is to. */
async function idleFor(seconds: number, cutAfterSeconds: number) {
  const double = new WinRmDouble();
  const platform = fixedPlatform();
  const session = new Session({
    target: parseTarget('srv1').target,
    policy: 'ntlm',
    credential: parseCredential('CORP\\alice', 'Passw0rd!'),
    openRoad: double.openRoad,
    platform,
    shell: { kind: 'interactive', codePage: 65001 },
  });
  await session.open();
  let shown = '';
  const reading = (async () => {
    for await (const { stream, bytes } of session.output) shown += stream === 'gap' ? '|' : utf8Decode(bytes);
  })();
  await settled();
  let [asked, silentFor] = [double.names.length, 0];
  for (let second = 0; second < seconds; second++) {
    await platform.advance(1000);
    await settled();
    silentFor = double.names.length === asked ? silentFor + 1 : 0;
    asked = double.names.length;
    const timeout = Number(/OperationTimeout>PT(\d+)S/.exec(double.operations.at(-1)?.xml ?? '')?.[1]);
    if (silentFor >= timeout) double.expire();
    if (silentFor < cutAfterSeconds) continue;
    double.endConnections();
    silentFor = 0;
    await expect.poll(() => double.names.length).toBe(asked + 1);
    asked = double.names.length;
  }
  double.write('stdout', 'at last');
  double.exit(0);
  await reading;
  await session.close();
  const waits = double.operations.flatMap(({ name, xml }) =>
    name === 'Receive' ? [Number(/OperationTimeout>PT(\d+)S/.exec(xml)?.[1])] : [],
  );
  return { shown, waits, handshakes: session.counts.handshakes };
}

it('outlives something that cuts silence: after two cuts it asks twice as often, and nothing is cut any more', async () => {
  const { shown, waits, handshakes } = await idleFor(600, 10);
  // Right after a loss it is asked shortly, so that the gap can be told.
  expect(waits.slice(0, 6)).toEqual([20, 1, 20, 1, 5, 5]);
  expect(new Set(waits.slice(4))).toEqual(new Set([5]));
  expect(handshakes).toBeLessThanOrEqual(5); // two lanes, two cuts, and the other lane once more for the farewell
  expect(shown).toBe('|at last');
});

it('asks every twenty seconds where silence is not cut', async () => {
  const { shown, waits, handshakes } = await idleFor(600, Infinity);
  expect(new Set(waits)).toEqual(new Set([20]));
  expect(handshakes).toBeLessThanOrEqual(3);
  expect(shown).toBe('at last');
});
