import { HOST_USER, hostBehindSquid } from '../destinations.ts';
import { looksRight, sticksOut } from '../looks-right.ts';
import { named } from '../person.ts';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

test('the sign-in screen and what it says of a wrong code', async ({ newcomer }) => {
  await newcomer.page.goto('/');
  await newcomer.button('signIn.action').click();
  await expect(newcomer.page.getByText(words('signIn.problem.empty'))).toBeVisible();
  await looksRight(newcomer.page);
});

test('home', async ({ person }) => {
  await expect(person.page.getByRole('heading', { name: words('home.title') })).toBeVisible();
  await looksRight(person.page);
});

test('the connect dialog, filled in, with a new proxy and with problems', async ({ person }) => {
  const { page, dialog } = person;
  await person.openDialog();
  await looksRight(page);
  await dialog.getByText(words('connect.more')).click();
  await dialog.getByText(words('connect.command'), { exact: true }).click();
  await dialog
    .getByRole('combobox', { name: words('connect.route'), exact: true })
    .selectOption({ label: words('connect.newRoute') });
  await dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
  await expect(dialog.getByText(words('connect.problem.server'))).toBeVisible();
  await looksRight(page);
});

test('the steps of a connection, on their way and failed', async ({ person, stack }) => {
  await person.openDialog();
  await person.fillAndConnect({ server: `127.0.0.1:${stack.blackHole.port}`, user: HOST_USER, password: 'x' });
  await expect(person.button('progress.cancel')).toBeVisible();
  await expect.poll(() => stack.blackHole.openCount).toBeGreaterThan(0);
  await looksRight(person.page);
  await person.button('progress.cancel').click();
  await person.fillAndConnect(
    hostBehindSquid(stack, { proxy: { port: stack.packagedSquid.port, kind: 'http-connect' } }),
  );
  await person.fails('proxy.connect-denied');
  await looksRight(person.page);
});

test('the session page, its command view, a running command and an ended shell', async ({ person, stack }) => {
  const { page } = person;
  await person.connect(hostBehindSquid(stack));
  await person.run('help');
  await person.run('ls --color=always -l /; echo broken >&2');
  await looksRight(page);
  await person.commandView();
  await looksRight(page);
  await person.terminalView();
  await person.begin('sleep 1000');
  await expect(person.button('session.running.stop')).toBeVisible();
  await looksRight(page);
  await page.keyboard.press('Control+c');
  await expect(person.input).toBeVisible();
  await page.keyboard.press('Control+Shift+F');
  await person.begin('exit 1');
  await expect(page.getByText(words('session.end.exit', { code: 1 }))).toBeVisible();
  await looksRight(page);
});

test('settings, the palette, saved proxies', async ({ person }) => {
  const { page } = person;
  await person.button('nav.settings').click();
  await expect(person.dialog).toBeVisible();
  await looksRight(page);
  await page.keyboard.press('Escape');
  await page.keyboard.press('F1');
  await expect(page.getByRole('combobox', { name: words('palette.search') })).toBeFocused();
  await looksRight(page);
  await page.keyboard.press('Escape');
  await person.button('home.proxy.action').click();
  await expect(person.dialog).toBeVisible();
  await looksRight(page);
});

test('what this server can see, a session page without a session, and a page that is not there', async ({
  person,
  watch,
}) => {
  const { page } = person;
  await page.goto('/sees/');
  await expect(page.getByRole('heading', { name: words('sees.title') })).toBeVisible();
  await looksRight(page);
  await page.goto('/session/');
  await expect(page.getByRole('heading', { name: words('session.none.title') })).toBeVisible();
  await looksRight(page);
  watch.expectStatus(404, '/nowhere/');
  await page.goto('/nowhere/');
  await expect(page.getByRole('heading').first()).toBeVisible();
  await looksRight(page);
});

test('the session page is usable on a telephone', async ({ person, stack }) => {
  const { page } = person;
  await page.setViewportSize({ width: 360, height: 640 });
  await person.connect(hostBehindSquid(stack));
  await person.run('echo small | rev');
  await person.seesRow('llams');
  await person.button('session.tools.menu').click();
  const menu = page.getByRole('menu');
  await expect(menu).toBeInViewport({ ratio: 1 });
  await page.getByRole('menuitem', { name: named('session.tools.commandView') }).click();
  await expect(page.getByRole('article').last()).toContainText('llams');
  expect(await sticksOut(page)).toEqual([]);
});
