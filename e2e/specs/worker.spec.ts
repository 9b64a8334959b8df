import { Buffer } from 'node:buffer';
import { hostBehindSquid, secureHostBehindSquid } from '../destinations.ts';
import { Person } from '../person.ts';
import { HOST_IDENTITY } from '../stack.ts';
import { expect, test } from '../story.ts';
import { watchContext } from '../watch.ts';
import { words } from '../words.ts';

test('runs the protocol in a worker, which sees every byte and ends with its session', async ({
  person,
  stack,
  watch,
}) => {
  const { page } = person;
  expect(await watch.sharedWorkers.count()).toBe(0);
  await person.connect(hostBehindSquid(stack, { name: 'Dinghy' }));
  await expect.poll(() => watch.sharedWorkers.count()).toBe(1);
  expect(page.workers()).toHaveLength(0);
  const before = watch.frameBytes;
  expect(before).toBeGreaterThan(0);
  await person.run('seq 1 50000 | tail -c 100000');
  expect(watch.frameBytes - before).toBeGreaterThan(100_000);
  await person.button('session.tabs.close', { name: 'Dinghy' }).click();
  await expect.poll(() => stack.host.shellCount).toBe(0);
  await expect.poll(() => watch.sharedWorkers.count()).toBe(0);
});

test('has a worker of its own where none can outlive the page', async ({ person, stack, watch }) => {
  const { page } = person;
  await page.addInitScript(() => void Reflect.deleteProperty(globalThis, 'SharedWorker'));
  await page.goto('/');
  await person.connect(hostBehindSquid(stack, { name: 'Dinghy' }));
  expect(page.workers()).toHaveLength(1);
  expect(await watch.sharedWorkers.count()).toBe(0);
  await person.run('echo ashore | rev');
  await person.seesRow('erohsa');
  await person.button('session.tabs.close', { name: 'Dinghy' }).click();
  await expect.poll(() => stack.host.shellCount).toBe(0);
  await expect.poll(() => page.workers().length).toBe(0);
});

test('does without where the browser has no workers', async ({ person, stack }) => {
  const { page } = person;
  await page.addInitScript(() => {
    for (const name of ['SharedWorker', 'Worker']) Reflect.deleteProperty(globalThis, name);
  });
  await page.goto('/');
  await person.connect(hostBehindSquid(stack));
  await person.run('echo ashore | rev');
  await person.seesRow('erohsa');
  expect(page.workers()).toHaveLength(0);
});

test('hands the key of a certificate to the worker', async ({ person, stack, watch }) => {
  const { dialog, page } = person;
  await person.openDialog();
  const to = secureHostBehindSquid(stack);
  await person.field('connect.server').fill(to.server);
  await dialog.getByRole('combobox', { name: words('connect.signIn'), exact: true }).selectOption('certificate');
  const chosen = page.waitForEvent('filechooser');
  await person.button('connect.certificate.choose').click();
  const buffer = Buffer.from(HOST_IDENTITY.certificate + HOST_IDENTITY.key);
  await (await chosen).setFiles({ name: 'wanda.pem', mimeType: 'application/x-pem-file', buffer });
  if (to.proxy !== undefined) await person.addProxy(to.proxy);
  await dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
  await person.button('trust.first.once').click();
  await person.seesPrompt();
  expect(await watch.sharedWorkers.count()).toBe(1);
  await person.run('echo detrac | rev');
  await person.seesRow('carted');
});

for (const kind of ['shared', 'dedicated']) {
  test(`a ${kind} worker that fails loses the session, and says whose mistake it is: misuse.wrong-state`, async ({
    browser,
    stack,
    signedIn,
  }) => {
    // The failure is on purpose, so what is complained of here is not looked at.
    const context = await browser.newContext({ baseURL: stack.product.origin, locale: 'en-US' });
    const { sharedWorkers } = await watchContext(context, stack.product.origin);
    await context.addCookies([...signedIn.cookies]);
    const person = new Person(await context.newPage());
    if (kind === 'dedicated') {
      await person.page.addInitScript(() => void Reflect.deleteProperty(globalThis, 'SharedWorker'));
    }
    await person.page.goto('/');
    await person.connect(hostBehindSquid(stack));
    const fault = "setTimeout(() => { throw new Error('nobody catches this'); })";
    await (kind === 'shared' ? sharedWorkers.all[0] : person.page.workers()[0])?.evaluate(fault);
    await person.fails('misuse.wrong-state');
    await expect.poll(async () => person.page.workers().length + (await sharedWorkers.count())).toBe(0);
    await context.close();
  });
}
