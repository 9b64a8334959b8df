import { afterEach, expect, it } from 'vitest';
import { type Rehearsal, rehearse } from '../../testbed/src/crooked/rehearsal.ts';
import { run } from './run.ts';

const running: Rehearsal[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.close();
});

it('R10, R23: a typed line under which the proxy moved the connection is told with both, and not repeated', async () => {
  // Two legs, Create and Command go well; what is typed is the fifth request of the control lane.
  const proxy = { crookedness: 're-pairs', calmTurns: 4 } as const;
  const r = await rehearse({ run, proxy, host: { limits: { maxTimeoutMs: 1000 } } });
  running.push(r);
  const words = ['shell', ...r.wordsFor('http, absolute form')];
  const { stderr } = await r.perform(words, 'echo typed-once\n', {});
  expect(stderr).toContain('nobody can tell whether the host carried it out');
  expect(stderr).toContain(`Because: The proxy 127.0.0.1:${r.proxy.port} moved your connection: `);
  expect(stderr).toContain('[shell.fate-unknown]');
  expect(r.seen()).not.toContain('typed-once');
});
