import type { Page } from 'playwright/test';
import { HOST_USER } from '../destinations.ts';
import { HOST_ACCOUNT } from '../stack.ts';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

/** More presses than any page has stops. */
const MAX_STOPS = 40;

/** Presses Tab until what has the focus is called `name`; the way there must be one a person can see. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let stop = 0; stop < MAX_STOPS; stop += 1) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(() => {
      const element = document.activeElement;
      if (!(element instanceof HTMLElement) || element === document.body) return { name: '', isVisible: true };
      const labels = 'labels' in element ? [...(element.labels as NodeListOf<HTMLLabelElement>)] : [];
      const box = element.getBoundingClientRect();
      return {
        name: (element.ariaLabel ?? (labels[0] ?? element).textContent ?? '').trim(),
        isVisible: box.width > 0 && box.height > 0,
      };
    });
    expect(found.isVisible, `${found.name} can be seen when it has the focus`).toBe(true);
    if (found.name === name) return;
  }
  throw new Error(`Tab never came to ${name}`);
}

test('from the code to a closed session without a mouse', async ({ newcomer, stack }) => {
  const { page } = newcomer;
  const { keyboard } = page;
  await page.goto('/');
  await expect(page.getByLabel(words('signIn.code'))).toBeFocused();
  await keyboard.type(await stack.product.takeCode());
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: words('home.title') })).toBeVisible();

  await tabTo(page, words('home.connect.action'));
  await keyboard.press('Enter');
  await expect(newcomer.field('connect.server')).toBeFocused();
  await keyboard.type(`127.0.0.1:${stack.hostTap.port}`);
  await tabTo(page, words('connect.user'));
  await keyboard.type(HOST_USER);
  await tabTo(page, words('connect.password'));
  await keyboard.type(HOST_ACCOUNT.password);
  await keyboard.press('Enter');
  await newcomer.seesPrompt();

  await keyboard.type('echo typed | rev');
  await keyboard.press('Enter');
  await newcomer.seesRow('depyt');
  await keyboard.press('F1');
  await expect(page.getByRole('combobox', { name: words('palette.search') })).toBeFocused();
  await keyboard.type(words('session.tools.commandView'));
  await keyboard.press('Enter');
  const view = page.getByRole('region', { name: words('session.commands.label') });
  await expect(view.getByRole('article').last()).toContainText('depyt');
  await keyboard.press('Control+Shift+O');
  await expect(view).toBeHidden();
  await keyboard.press('F6');
  await expect(newcomer.input).not.toBeFocused();
  await keyboard.press('Alt+Shift+W');
  await expect(page.getByRole('heading', { name: words('session.none.title') })).toBeVisible();
  await expect.poll(() => stack.host.shellCount).toBe(0);
});

test('a dialog holds the focus and gives it back', async ({ person }) => {
  const { page } = person;
  await expect(page.getByRole('heading', { name: words('home.title') })).toBeVisible();
  await tabTo(page, words('home.connect.action'));
  await page.keyboard.press('Enter');
  await expect(person.field('connect.server')).toBeFocused();
  for (let stop = 0; stop < MAX_STOPS; stop += 1) {
    await page.keyboard.press('Tab');
    const isInside = await page.evaluate(
      () => document.activeElement === document.body || document.activeElement?.closest('dialog') !== null,
    );
    expect(isInside).toBe(true);
  }
  await page.keyboard.press('Escape');
  await expect(person.dialog).toBeHidden();
  await expect(
    page.getByRole('region', { name: words('home.begin') }).getByRole('button', { name: words('home.connect.action') }),
  ).toBeFocused();
});

test('Tab leaves the command line when it is told to', async ({ person, stack }) => {
  await person.connect({
    server: `127.0.0.1:${stack.hostTap.port}`,
    user: HOST_USER,
    password: HOST_ACCOUNT.password,
  });
  await person.page.keyboard.press('Tab');
  await expect(person.input).toBeFocused();
  await person.page.keyboard.press('Control+m');
  await expect(person.page.getByText(words('session.status.tabMoves'))).toBeVisible();
  await person.page.keyboard.press('Tab');
  await expect(person.input).not.toBeFocused();
});
