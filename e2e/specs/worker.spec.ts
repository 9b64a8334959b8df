import { hostBehindSquid } from '../destinations.ts';
import { expect, test } from '../story.ts';

test('runs the protocol in a worker, which sees every byte and ends with its session', async ({
  person,
  stack,
  watch,
}) => {
  const { page } = person;
  expect(page.workers()).toHaveLength(0);
  await person.connect(hostBehindSquid(stack, { name: 'Dinghy' }));
  expect(page.workers()).toHaveLength(1);
  const before = watch.frameBytes;
  expect(before).toBeGreaterThan(0);
  await person.run('seq 1 50000 | tail -c 100000');
  expect(watch.frameBytes - before).toBeGreaterThan(100_000);
  await person.button('session.tabs.close', { name: 'Dinghy' }).click();
  await expect.poll(() => stack.host.shellCount).toBe(0);
  await expect.poll(() => page.workers().length).toBe(0);
});

test('does without where the browser has no workers', async ({ person, stack }) => {
  const { page } = person;
  await page.addInitScript(() => void Reflect.deleteProperty(globalThis, 'Worker'));
  await page.goto('/');
  await person.connect(hostBehindSquid(stack));
  await person.run('echo ashore | rev');
  await person.seesRow('erohsa');
  expect(page.workers()).toHaveLength(0);
});
