import { API_PATHS, CODE_ALPHABET, normalizeCode } from '@fairlead/contract';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

/** A code that is as good as any but was not printed. */
function wrongCode(code: string): string {
  const letters = [...CODE_ALPHABET];
  const next = letters[(letters.indexOf(code[0] ?? '') + 1) % letters.length] ?? 'A';
  return next + code.slice(1);
}

test('refuses a wrong code, then takes the right one, once', async ({ newcomer, watch, stack, secrets }) => {
  const { page } = newcomer;
  const code = secrets.keep(normalizeCode(await stack.product.takeCode()));
  watch.expectStatus(401, API_PATHS.signIn);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: words('signIn.title') })).toBeVisible();
  const field = page.getByLabel(words('signIn.code'));
  await expect(field).toBeFocused();

  await newcomer.button('signIn.action').click();
  await expect(page.getByText(words('signIn.problem.empty'))).toBeVisible();

  await field.fill(wrongCode(code));
  await field.press('Enter');
  await expect(page.getByText(words('signIn.problem.wrong'))).toBeVisible();

  // As people type: small letters, and hyphens that come by themselves.
  await field.fill(code.toLowerCase());
  await expect(field).toHaveValue(/^\w{4}-\w{4}-\w{4}$/);
  await field.press('Enter');
  await expect(page.getByRole('heading', { name: words('home.title') })).toBeVisible();

  await newcomer.button('nav.signOut').click();
  await expect(page.getByRole('heading', { name: words('signIn.title') })).toBeVisible();
  await field.fill(code);
  await field.press('Enter');
  await expect(page.getByText(words('signIn.problem.wrong'))).toBeVisible();
});

test('takes the code from a link and leaves no trace of it in the address', async ({ newcomer, stack, secrets }) => {
  const { page } = newcomer;
  const code = await stack.product.takeCode();
  secrets.keep(normalizeCode(code));
  await page.goto(`/#code=${code}`);
  await expect(page.getByRole('heading', { name: words('home.title') })).toBeVisible();
  expect(page.url()).not.toContain('code');
  await page.reload();
  await expect(page.getByRole('heading', { name: words('home.title') })).toBeVisible();
});

test('asks to sign in when nobody has, whatever page is asked for', async ({ newcomer }) => {
  const { page } = newcomer;
  await page.goto('/session/');
  await expect(page.getByRole('heading', { name: words('session.none.title') })).toBeVisible();
  await page.getByText(words('session.none.home'), { exact: true }).click();
  await expect(page.getByRole('heading', { name: words('signIn.title') })).toBeVisible();
});
