import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startUpgradeStripper } from '@fairlead/testbed';
import type { Page } from 'playwright/test';
import { hostBehindSquid } from '../destinations.ts';
import { type Front, startFront } from '../front.ts';
import { freePort } from '../peers/peers.ts';
import { Person } from '../person.ts';
import { HOST_ACCOUNT, type Product, startProduct } from '../stack.ts';
import { test as base, expect } from '../story.ts';
import { foundIn } from '../tap.ts';
import { words } from '../words.ts';

/** The product behind a cable that can be cut. */
const test = base.extend<object, { readonly front: Front; readonly behind: number }>({
  front: [
    // Playwright reads what a fixture needs from the pattern, so there has to be one.
    async ({ browserName: _browserName }, use) => {
      const front = await startFront();
      await use(front);
      await front.close();
    },
    { scope: 'worker' },
  ],
  behind: [
    async ({ front }, use) => {
      const port = await freePort();
      front.aim(port);
      await use(port);
    },
    { scope: 'worker' },
  ],
  settings: [
    ({ front, behind }, use) => use({ FAIRLEAD_PORT: `${behind}`, FAIRLEAD_PUBLIC_ORIGIN: front.origin }),
    { scope: 'worker' },
  ],
});

/** Numbered lines, some 10 s of them. */
const TICK_COUNT = 100;
const TICKS = `for i in $(seq 1 ${TICK_COUNT}); do echo "tick $i."; sleep 0.1; done`;
const ALL_TICKS = Array.from({ length: TICK_COUNT }, (_, at) => `tick ${at + 1}.\n`).join('');

test('a reload while a command runs comes back to the same shell, and no line is missing or doubled', async ({
  person,
  stack,
  watch,
}) => {
  const { page } = person;
  await person.connect(hostBehindSquid(stack, { name: 'Dinghy' }));
  await person.run('set VESSEL=Cutty');
  await person.begin(TICKS);
  await person.seesRow('tick 8.');
  await person.programInput.fill('half a line');
  const { connectionCount } = stack.hostTap;
  await page.reload();
  await expect(page.getByText(words('session.returning.same', { name: 'Dinghy' })).first()).toBeVisible();
  await expect(person.programInput).toHaveValue('half a line');
  await person.programInput.fill('');
  await page.reload();
  await person.ends(TICKS);
  expect(await person.savedOutput()).toBe(ALL_TICKS);
  await person.run('echo [%VESSEL%]');
  await person.seesRow('[Cutty]');
  const view = await person.commandView();
  await expect(view.getByRole('article').getByRole('heading')).toHaveText([
    words('session.commands.banner'),
    ...['set VESSEL=Cutty', TICKS, 'echo [%VESSEL%]'],
  ]);
  expect(stack.hostTap.connectionCount).toBe(connectionCount);
  expect(stack.host.shellCount).toBe(1);
  expect(await watch.sharedWorkers.count()).toBe(1);
});

test('a cut cable is told with a countdown, a typed line waits, and nothing is lost or sent twice', async ({
  person,
  stack,
  front,
  context,
}) => {
  const { page } = person;
  await person.connect(hostBehindSquid(stack));
  await person.begin(TICKS);
  await person.seesRow('tick 5.');
  const { connectionCount } = stack.hostTap;
  await context.setOffline(true);
  front.cut();
  const strip = page.getByText(/^Link to the relay lost \d+ s ago\./);
  await expect(strip).toBeVisible();
  await expect(page.getByText(words('session.link.offline'))).toBeVisible();
  await expect(page.getByText(/^Retrying in \d+ s$|^Trying now…$/)).toBeVisible();
  const first = await strip.textContent();
  await expect(strip).not.toHaveText(first ?? '');
  front.join();
  await context.setOffline(false);
  await expect(strip).toBeHidden();
  await person.seesRow(/resumed, 0 bytes lost/);
  await person.ends(TICKS);
  expect(await person.savedOutput()).toBe(ALL_TICKS);

  front.cut();
  await expect(strip).toBeVisible();
  await person.input.fill('echo once-and-only | rev');
  await person.input.press('Enter');
  await expect(page.getByText('1 line waits for the link')).toBeVisible();
  await person.input.press('Control+c');
  await expect(person.input).toHaveValue('echo once-and-only | rev');
  await person.input.press('Enter');
  // Longer than the pauses between the first attempts.
  await page.waitForTimeout(3000);
  front.join();
  await person.button('session.link.nowLabel').click();
  await person.ends('echo once-and-only | rev');
  await expect(strip).toBeHidden();
  await expect(person.rows.filter({ hasText: 'ylno-dna-ecno' })).toHaveCount(1);
  expect(stack.hostTap.connectionCount).toBe(connectionCount);
});

test('the relay ends and begins again: the page signs in by itself and goes on with the same shell', async ({
  newcomer,
  context,
  front,
  behind,
  stack,
}) => {
  test.setTimeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-e2e-kept-'));
  // The sign-in's cookie is named after the port.
  const port = await freePort();
  const start = async (): Promise<Product> => {
    const product = await startProduct({
      FAIRLEAD_PORT: `${port}`,
      FAIRLEAD_PUBLIC_ORIGIN: front.origin,
      FAIRLEAD_DATA: folder,
      FAIRLEAD_TARGETS: `127.0.0.1:${stack.hostTap.port}`,
      FAIRLEAD_PROXIES: `127.0.0.1:${stack.squidTap.port}`,
    });
    front.aim(port);
    return product;
  };
  const first = await start();
  await context.clearCookies();
  await newcomer.signIn(await first.takeCode());
  await newcomer.connect(hostBehindSquid(stack, { name: 'Dinghy' }));
  await newcomer.run('set VESSEL=Thermopylae');
  await newcomer.begin('sleep 20; echo late | rev');
  const { page } = newcomer;
  await expect(newcomer.button('session.running.stop')).toBeVisible();
  front.cut();
  await first.stop();
  await expect(page.getByText(/^Link to the relay lost \d+ s ago\./)).toBeVisible();
  await newcomer.seesRow(/sleep 20; echo late/);
  const second = await start();
  front.join();
  // It sleeps for longer than a test commonly waits.
  await expect(newcomer.announcement).toContainText('sleep 20; echo late | rev', { timeout: 40_000 });
  await newcomer.seesRow('etal');
  await newcomer.seesRow(/opened anew.*may be missing/);
  await newcomer.run('echo [%VESSEL%]');
  await newcomer.seesRow('[Thermopylae]');
  // At the prompt, too: what is typed while no relay is there runs once, and nobody has to wonder.
  front.cut();
  await second.stop();
  await expect(page.getByText(/^Link to the relay lost \d+ s ago\./)).toBeVisible();
  for (const line of ['echo eno-eht | rev', 'echo owt-eht | rev']) {
    await newcomer.input.fill(line);
    await newcomer.input.press('Enter');
  }
  await expect(page.getByText('2 lines wait for the link')).toBeVisible();
  const third = await start();
  front.join();
  await newcomer.ends('echo owt-eht | rev');
  await expect(newcomer.rows.filter({ hasText: /^the-(?:one|two)/ })).toHaveCount(2);
  await expect(newcomer.button('session.running.stop')).toBeHidden();
  await newcomer.run('echo [%VESSEL%]');
  expect(stack.host.shellCount).toBe(1);
  await third.stop();
  front.aim(behind);
  rmSync(folder, { recursive: true, force: true });
});

test.describe('where no worker outlives the page', () => {
  test.beforeEach(async ({ context }) => {
    await context.addInitScript(() => void Reflect.deleteProperty(globalThis, 'SharedWorker'));
  });

  test('a reload asks for the password and goes on with the same shell', async ({ person, stack }) => {
    const { page } = person;
    await page.reload();
    await person.connect(hostBehindSquid(stack, { name: 'Dinghy' }));
    await person.run('set VESSEL=Cutty');
    await page.reload();
    await expect(page.getByText(words('session.returning.title', { name: 'Dinghy' }))).toBeVisible();
    await person.button('session.returning.takeUp').click();
    await person.dialog.getByRole('textbox').fill(HOST_ACCOUNT.password);
    await person.button('session.password.connect').click();
    await person.seesRow(/opened anew.*may be missing/);
    await person.begin('echo [%VESSEL%]');
    await person.seesRow('[Cutty]');
    expect(stack.host.shellCount).toBe(1);
  });

  test('a shell that has gone meanwhile is said to have, and a new one is offered: shell.gone', async ({
    person,
    stack,
  }) => {
    const { page } = person;
    await page.reload();
    await person.connect(hostBehindSquid(stack));
    await page.goto('about:blank');
    stack.host.closeShells();
    await page.goto('/session/#s1');
    await person.button('session.returning.takeUp').click();
    await person.dialog.getByRole('textbox').fill(HOST_ACCOUNT.password);
    await person.button('session.password.connect').click();
    await person.fails('shell.gone');
    await person.failure.getByRole('button').first().click();
    await person.seesPrompt();
    await person.run('echo anew | rev');
    await person.seesRow('wena');
  });
});

test('a tab that is closed has its shell deleted, after the time a reload may take', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.begin('sleep 1000');
  await expect(person.button('session.running.stop')).toBeVisible();
  stack.host.journal.clear();
  await person.page.close();
  const closedAt = Date.now();
  await expect.poll(() => stack.host.shellCount, { timeout: 40_000 }).toBe(0);
  expect(Date.now() - closedAt).toBeGreaterThan(15_000);
  expect(stack.host.journal.connections().flatMap(({ operations }) => operations)).toContain('Delete');
});

test('a second tab takes a session over, and the first one says so and can have it back', async ({
  person,
  context,
  stack,
}) => {
  const { page } = person;
  await person.connect(hostBehindSquid(stack));
  await person.run('set SIDE=starboard');
  const other = new Person(await duplicate(page));
  await other.seesPrompt();
  await expect(page.getByText(words('session.elsewhere.text'))).toBeVisible();
  await expect(person.input).toBeHidden();
  await other.run('echo %SIDE% | rev');
  await other.seesRow('draobrats');
  await page.bringToFront();
  await person.button('session.elsewhere.back').click();
  await person.seesRow('draobrats');
  await expect(other.page.getByText(words('session.elsewhere.text'))).toBeVisible();
  await other.page.close();
  await person.run('echo again | rev');
  await person.seesRow('niaga');
  expect(context.pages()).toHaveLength(1);
  expect(stack.host.shellCount).toBe(1);
});

/** What a browser does when a tab is duplicated: the tab's own storage is copied. */
async function duplicate(page: Page): Promise<Page> {
  const kept = await page.evaluate(() => JSON.stringify(sessionStorage));
  const other = await page.context().newPage();
  await other.addInitScript((text: string) => {
    if (sessionStorage.length > 0) return;
    for (const [key, value] of Object.entries(JSON.parse(text) as Record<string, string>)) sessionStorage[key] = value;
  }, kept);
  await other.goto('/session/#s1');
  return other;
}

test('nothing secret is in any storage, nor in the name or address of a worker', async ({
  person,
  stack,
  secrets,
  watch,
}) => {
  const { page } = person;
  await person.connect(hostBehindSquid(stack));
  const output = secrets.keep('eugolatac-eltsalp-eht');
  await person.run(`echo ${[...output].reverse().join('')} | rev`);
  await person.seesRow(output);
  await person.begin('printf "Password: "; read A; echo done');
  const hidden = secrets.keep('mizzen-mast-1805');
  const field = page.getByLabel(words('session.input.hiddenLabel'), { exact: true });
  await field.fill(hidden);
  await field.press('Enter');
  await person.seesRow('done');
  const draft = secrets.keep('a-line-that-was-never-sent');
  await person.input.fill(draft);
  await page.reload();
  await expect(person.input).toHaveValue(draft);
  await expect(page.getByText(hidden)).toHaveCount(0);
  const stored = Buffer.from(
    await page.evaluate(async () => {
      const all: unknown[] = [{ ...sessionStorage }, { ...localStorage }, location.href, document.cookie];
      for (const { name = '' } of await indexedDB.databases()) {
        const database = await new Promise<IDBDatabase>((resolve, reject) => {
          const request = indexedDB.open(name);
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
        for (const store of database.objectStoreNames) {
          const rows = await new Promise((resolve, reject) => {
            const request = database.transaction(store).objectStore(store).getAll();
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
          all.push(name, store, rows);
        }
        database.close();
      }
      return JSON.stringify(all);
    }),
  );
  const named = Buffer.from(JSON.stringify(watch.sharedWorkers.all.map(({ url, name }) => [url, name])));
  // The search would find something: what is meant to be there is.
  expect(foundIn(stored, HOST_ACCOUNT.user)).toContain('UTF-8');
  expect(await watch.sharedWorkers.count()).toBe(1);
  for (const text of [HOST_ACCOUNT.password, output, hidden, draft]) {
    expect(foundIn(stored, text), `“${text}” in storage`).toEqual([]);
    expect(foundIn(named, text), `“${text}” in a worker’s name`).toEqual([]);
  }
});

test('where the upgrade is stripped the page says so, and what it costs', async ({ person, stack, front, behind }) => {
  const stripper = await startUpgradeStripper();
  stripper.leadTo({ host: '127.0.0.1', port: behind });
  front.aim(stripper.port);
  const { page } = person;
  await page.reload();
  await person.connect(hostBehindSquid(stack));
  expect(stripper.strippedCount).toBeGreaterThan(0);
  const notice = page.getByText(/^Something between this browser and the relay lets no WebSocket pass/);
  await expect(notice).toBeVisible();
  await expect(person.status).toHaveAccessibleName(new RegExp(words('session.status.fallback')));
  await person.run('echo ashore | rev');
  await person.seesRow('erohsa');
  await person.button('session.road.drop').click();
  await expect(notice).toBeHidden();
  await person.status.click();
  await expect(person.dialog.getByText(/^Something between this browser/)).toBeVisible();
  await expect(person.dialog.getByText(words('session.hops.carriedBy.http'), { exact: true })).toBeVisible();
  front.aim(behind);
  await stripper.close();
});
