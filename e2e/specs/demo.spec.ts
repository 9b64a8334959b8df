import { demoPassword, normalizeCode } from '@fairlead/contract';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

test('leads from the code to a prompt of the demo, through its proxy, within two clicks', async ({
  newcomer,
  stack,
  secrets,
}) => {
  const { page } = newcomer;
  const code = await stack.product.takeCode();
  secrets.keep(await demoPassword(normalizeCode(code)));
  await page.goto(`/#code=${code}`);

  await newcomer.button('home.demo.action').click();
  await newcomer.seesPrompt();
  await expect(newcomer.status).toHaveAccessibleName(/\(CONNECT\)/);
  await expect(newcomer.status).toHaveAccessibleName(new RegExp(words('session.status.sealed')));

  secrets.keep('a barnacle is no limpet');
  await newcomer.run('echo limpet no is barnacle a | tr " " "\\n" | tac | paste -sd " "');
  await newcomer.seesRow('a barnacle is no limpet');
  await newcomer.run('cd /usr');
  await newcomer.run('cd');
  await newcomer.seesRow('/usr');

  await newcomer.begin('exit 3');
  await expect(page.getByText(words('session.end.exit', { code: 3 }))).toBeVisible();
});

test('says what is true when the demo’s password has gone to another browser', async ({ newcomer, stack, browser }) => {
  await newcomer.signIn(await stack.product.takeCode());
  const other = await browser.newContext({ baseURL: stack.product.origin });
  const page = await other.newPage();
  await page.goto(`/#code=${await stack.product.takeCode()}`);
  await expect(page.getByRole('heading', { name: words('home.title') })).toBeVisible();
  await other.close();

  await newcomer.button('home.demo.action').click();
  await expect(newcomer.page.getByText(words('demo.changed'))).toBeVisible();
  await newcomer.fails('auth.rejected');
  await newcomer.button('demo.signInAgain').click();
  await expect(newcomer.page.getByRole('heading', { name: words('signIn.title') })).toBeVisible();
});
