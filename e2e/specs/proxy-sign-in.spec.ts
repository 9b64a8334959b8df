import { secureHostBehindSquid } from '../destinations.ts';
import { RIG_PROXY_ACCOUNTS } from '../peers/peers.ts';
import type { Person } from '../person.ts';
import type { Stack } from '../stack.ts';
import { expect, test } from '../story.ts';
import { foundIn } from '../tap.ts';
import { words } from '../words.ts';

const { ntlm, plain } = RIG_PROXY_ACCOUNTS;
const { password } = ntlm;

const behindAsking = (stack: Stack) =>
  secureHostBehindSquid(stack, { proxy: { port: stack.askingTap.port, kind: 'http-connect' } });

/** From the failure back to the proxy's fields, and once more. */
async function signInToProxy(person: Person, user: string, typed: string): Promise<void> {
  const { dialog } = person;
  await person.button('progress.proxySignIn').click();
  await expect(person.field('connect.proxy.user')).toBeFocused();
  await person.field('connect.proxy.user').fill(user);
  await dialog.getByLabel(words('connect.proxy.password'), { exact: true }).fill(typed);
  await dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
}

test('a proxy that asks is given its own sign-in, and no wire carries its password', async ({
  person,
  stack,
  secrets,
}) => {
  secrets.keep(password);
  await person.openDialog();
  await person.fillAndConnect(behindAsking(stack));
  await person.fails('proxy.auth-required');
  await signInToProxy(person, ntlm.user, secrets.keep('not-this-halyard'));
  await person.fails('proxy.auth-rejected');
  await person.button('progress.proxySignIn').click();
  await expect(person.dialog.getByText(words('connect.proxy.asked.rejected', { mechanism: 'NTLM' }))).toBeVisible();
  await person.dialog.getByLabel(words('connect.proxy.password'), { exact: true }).fill(password);
  await person.dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
  await person.button('trust.first.once').click();
  await person.seesPrompt();
  await person.run('echo past the proxy | rev');
  await person.seesRow('yxorp eht tsap');
  // The search that follows each test reads the wire on which the sign-in crossed.
  expect(foundIn(stack.askingTap.captured(), 'puser')).not.toEqual([]);
  const kept = await person.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(kept).toContain('puser');
  expect(kept).not.toContain(password);
});

test('a proxy that wants Basic gets the password only after Basic was chosen', async ({ person, stack }) => {
  await person.openDialog();
  await person.fillAndConnect(
    secureHostBehindSquid(stack, { proxy: { port: stack.basicSquid.port, kind: 'http-connect' } }),
  );
  await person.fails('proxy.auth-required');
  await signInToProxy(person, plain.user, plain.password);
  await person.fails('proxy.auth-unsupported');
  await person.button('progress.proxySignIn').click();
  await expect(person.dialog.getByText(words('connect.proxy.asked.unsupported', { offered: 'Basic' }))).toBeVisible();
  await person.dialog
    .getByRole('combobox', { name: words('connect.proxy.meansLabel'), exact: true })
    .selectOption({ label: words('connect.proxy.means.basic') });
  await person.dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
  await person.button('trust.first.once').click();
  await person.seesPrompt();
});

test('for an http target it explains that the proxy gets no sign-in', async ({ person, stack }) => {
  await person.openDialog();
  await person.field('connect.server').fill('http://127.0.0.1:5985');
  await person.addProxy({ port: stack.askingTap.port, kind: 'http-connect' });
  await expect(person.dialog.getByText(words('connect.proxy.needsHttps'))).toBeVisible();
  await expect(person.field('connect.proxy.user')).toHaveCount(0);
});
