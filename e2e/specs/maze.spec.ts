/** The demo's maze: each room opens a shell and runs a command, or explains itself, and then its way out does. */
import { demoPassword, normalizeCode } from '@fairlead/contract';
import type { Page } from 'playwright/test';
import { looksRight } from '../looks-right.ts';
import { escapeRegex, Person } from '../person.ts';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

type Room = 'straight' | 'asks' | 'moves' | 'cuts' | 'inspects' | 'strips';

test.beforeEach(async ({ newcomer, stack, secrets }) => {
  const code = await stack.product.takeCode();
  secrets.keep(await demoPassword(normalizeCode(code)));
  await newcomer.page.goto(`/#code=${code}`);
  await newcomer.button('home.demo.mazeLabel').click();
  await expect(row(newcomer, 'straight')).toBeVisible();
});

/** A room's place in the list. */
function row(person: Person, room: Room) {
  return person.dialog.getByRole('listitem', { name: words(`demo.maze.room.${room}.title`), exact: true });
}

/** One of a room's buttons. */
function button(person: Person, room: Room, key: string) {
  const name = words('demo.maze.openNamed', {
    action: words(`demo.maze.${key}`),
    room: words(`demo.maze.room.${room}.title`),
  });
  return person.page.getByRole('button', { name, exact: true });
}

/** From a shell back to the list, by the keyboard. */
async function returnToMaze(person: Person): Promise<void> {
  const { keyboard } = person.page;
  await keyboard.press('F1');
  await expect(person.page.getByRole('combobox', { name: words('palette.search') })).toBeFocused();
  await keyboard.type(words('commands.maze'));
  await keyboard.press('Enter');
  await expect(row(person, 'straight')).toBeVisible();
}

async function runsCommands(person: Person): Promise<void> {
  await person.seesPrompt();
  await person.run('echo thgiarts ton si hguone dna daor a | rev');
  await person.seesRow('a road and enough is not straight');
}

/** The sentence of an error begins so, whatever the facts in it are. */
async function says(person: Person, room: Room, code: string): Promise<void> {
  await expect(row(person, room).getByText(words('demo.maze.outcome.stopped'))).toBeVisible();
  await expect(row(person, room).locator('code').last()).toHaveText(code);
}

test('straight through is the demo as it always was', async ({ newcomer }) => {
  await button(newcomer, 'straight', 'open').click();
  await runsCommands(newcomer);
  await returnToMaze(newcomer);
  await expect(row(newcomer, 'straight').getByRole('link')).toBeVisible();
});

test('the proxy that asks is signed in to over HTTPS, and over HTTP it gets no password at all', async ({
  newcomer,
}) => {
  const told = row(newcomer, 'asks').locator('code');
  await expect(told).toHaveText(['OFFICE\\visitor', 'harbour-gate-7']);
  await button(newcomer, 'asks', 'openHttp').click();
  await newcomer.fails('proxy.needs-https');
  await newcomer.button('progress.back').click();
  await says(newcomer, 'asks', 'proxy.needs-https');
  await expect(button(newcomer, 'asks', 'wayOut.https')).toBeFocused();
  // The way out stands where the failure is told, too.
  await button(newcomer, 'asks', 'openHttp').click();
  await newcomer.fails('proxy.needs-https');
  await newcomer.button('demo.maze.wayOut.https').click();
  await newcomer.button('trust.first.once').click();
  await runsCommands(newcomer);
  await returnToMaze(newcomer);
  await expect(row(newcomer, 'asks').getByText(/2 connections, 2 sign-ins/)).toBeVisible();
});

test('the proxy that moves the connection is named, and the way around it leads to a shell', async ({ newcomer }) => {
  await button(newcomer, 'moves', 'open').click();
  await newcomer.fails('proxy.no-affinity');
  const beginning = words('errors.proxy.no-affinity.message').split(/[{:]/)[0] ?? '';
  await expect(newcomer.failure).toContainText(/moved your connection/);
  await expect(newcomer.failure).toContainText(new RegExp(escapeRegex(beginning.trim())));
  await newcomer.button('recovery.change-route').click();
  await says(newcomer, 'moves', 'proxy.no-affinity');
  await expect(button(newcomer, 'moves', 'wayOut.around')).toBeFocused();
  await newcomer.page.keyboard.press('Enter');
  await runsCommands(newcomer);
  await returnToMaze(newcomer);
  await expect(row(newcomer, 'moves').getByText(words('demo.maze.outcome.openAround'))).toBeVisible();
});

test('the proxy that cuts what is silent costs sign-ins, and not the shell', async ({ newcomer }) => {
  await button(newcomer, 'cuts', 'open').click();
  await newcomer.seesPrompt();
  await newcomer.run('cd /usr');
  await returnToMaze(newcomer);
  await expect(row(newcomer, 'cuts').getByText(/\b2 connections, 2 sign-ins/)).toBeVisible();
  await expect(row(newcomer, 'cuts').getByText(/\b[3-9] connections, [3-9] sign-ins/)).toBeVisible({ timeout: 30_000 });
  await row(newcomer, 'cuts').getByRole('link').click();
  await newcomer.run('cd');
  await newcomer.seesRow('/usr');
  await runsCommands(newcomer);
});

test('the proxy that opens TLS is met with a question, and nothing reaches it after a no', async ({ newcomer }) => {
  await button(newcomer, 'inspects', 'openHttps').click();
  await expect(newcomer.dialog.getByText(words('trust.first.nothingSent'))).toBeVisible();
  await expect(newcomer.dialog.getByText(/Inspecting Proxy/).first()).toBeVisible();
  await newcomer.page.keyboard.press('Escape');
  await newcomer.fails('tls.untrusted');
  await newcomer.button('progress.back').click();
  await says(newcomer, 'inspects', 'tls.untrusted');
  await expect(button(newcomer, 'inspects', 'wayOut.around')).toBeFocused();
  await newcomer.page.keyboard.press('Enter');
  await expect(newcomer.dialog.getByText(/Fairlead demo host/).first()).toBeVisible();
  await newcomer.button('trust.first.once').click();
  await runsCommands(newcomer);
});

test('through the gateway that strips Upgrade the page works, runs over HTTP requests and says so', async ({
  newcomer,
  context,
  watch,
}) => {
  const status = (await (await newcomer.page.request.get('/api/status')).json()) as Status;
  const door = `http://localhost:${status.demo.maze.stripperPort}`;
  watch.admit(door);
  const opening = context.waitForEvent('page');
  await newcomer.page.getByRole('button', { name: new RegExp(`^${escapeRegex(words('demo.maze.newTab'))}`) }).click();
  const page: Page = await opening;
  const other = new Person(page);
  await expect(row(other, 'strips').getByText(words('demo.maze.here'))).toBeVisible();
  expect(page.url()).toBe(`${door}/`);
  await expect(button(other, 'strips', 'open')).toBeFocused();
  await page.keyboard.press('Enter');
  await runsCommands(other);
  await expect(other.status).toHaveAccessibleName(new RegExp(escapeRegex(words('session.status.fallback'))));
  await expect(page.getByText(words('session.road.http'))).toBeVisible();
  await page.close();
  // The tab it was opened from goes on by WebSocket.
  await button(newcomer, 'straight', 'open').click();
  await runsCommands(newcomer);
  await expect(newcomer.status).not.toHaveAccessibleName(new RegExp(escapeRegex(words('session.status.fallback'))));
});

interface Status {
  readonly demo: { readonly maze: { readonly stripperPort: number } };
}

test('the list itself, before and after rooms were tried', async ({ newcomer }) => {
  await looksRight(newcomer.page);
  await button(newcomer, 'moves', 'open').click();
  await newcomer.fails('proxy.no-affinity');
  await newcomer.button('recovery.change-route').click();
  await says(newcomer, 'moves', 'proxy.no-affinity');
  await looksRight(newcomer.page);
});

test('a reload while a command runs behind the proxy that asks comes back to the same shell', async ({ newcomer }) => {
  await button(newcomer, 'asks', 'openHttps').click();
  await newcomer.button('trust.first.once').click();
  await newcomer.seesPrompt();
  await newcomer.begin('sleep 6; echo niaga emoh dna erohsa | rev');
  await expect(newcomer.button('session.running.stop')).toBeVisible();
  await newcomer.page.reload();
  const name = words('demo.maze.room.asks.label');
  await expect(newcomer.page.getByText(words('session.returning.same', { name })).first()).toBeVisible();
  await newcomer.seesRow('ashore and home again');
  await runsCommands(newcomer);
});
