import { createServer } from 'node:http';
import { HOST_USER } from '../destinations.ts';
import { looksRight } from '../looks-right.ts';
import { RIG_PROXY_ACCOUNTS } from '../peers/peers.ts';
import { HOST_ACCOUNT } from '../stack.ts';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

const { user, password } = RIG_PROXY_ACCOUNTS.ntlm;

test.use({
  settings: { FAIRLEAD_HTTP_BEHIND_AUTHENTICATED_PROXY: 'allow', FAIRLEAD_PROXY_SCRIPTS: '127.0.0.1:*' },
});

test('a PAC file is fetched by the relay where it may, and then gives the road', async ({ person, stack }) => {
  const { dialog } = person;
  const script = `function FindProxyForURL(url, host) { return "PROXY 127.0.0.1:${stack.squidTap.port}"; }`;
  const server = createServer((_request, answer) => void answer.end(script));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    await person.openDialog();
    await person.field('connect.server').fill(`127.0.0.1:${stack.hostTap.port}`);
    await person.field('connect.user').fill(HOST_USER);
    await dialog.getByLabel(words('connect.password'), { exact: true }).fill(HOST_ACCOUNT.password);
    const routes = dialog.getByRole('combobox', { name: words('connect.route'), exact: true });
    await routes.selectOption({ label: words('connect.newRoute') });
    await dialog.getByText(words('routes.paste'), { exact: true }).click();
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await person.field('routes.pasted.label').fill(`AutoConfigURL : http://127.0.0.1:${port}/office.pac`);
    await person.button('routes.pasted.fetch').click();
    const found = dialog.getByRole('status', { name: words('routes.found.label'), exact: true });
    await expect(found).toContainText(words('routes.found.why.script'));
    await looksRight(person.page);
    await person.page.setViewportSize({ width: 1280, height: 800 });
    await person.button('routes.pasted.use').click();
    await expect(routes).toContainText(`127.0.0.1:${stack.squidTap.port}`);
    const before = stack.squidTap.connectionCount;
    await dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
    await person.seesPrompt();
    expect(stack.squidTap.connectionCount).toBeGreaterThan(before);
  } finally {
    server.close();
  }
});

test('a proxy is signed in to for an http target only after that danger was chosen by its name (R5)', async ({
  person,
  stack,
  secrets,
}) => {
  const { dialog } = person;
  secrets.keep(password);
  await person.openDialog();
  await person.fillAndConnect({
    server: `http://127.0.0.1:${stack.hostTap.port}`,
    user: HOST_USER,
    password: HOST_ACCOUNT.password,
    proxy: { port: stack.askingTap.port, kind: 'http-connect' },
  });
  await person.fails('proxy.auth-required');
  await person.button('progress.proxySignIn').click();
  await expect(person.button('connect.proxy.useHttps')).toBeFocused();
  await expect(person.field('connect.proxy.user')).toHaveCount(0);
  await dialog.getByRole('checkbox', { name: words('connect.proxy.danger'), exact: true }).check();
  await looksRight(person.page);
  await person.field('connect.proxy.user').fill(user);
  await dialog.getByLabel(words('connect.proxy.password'), { exact: true }).fill(password);
  await dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
  await person.seesPrompt();
  const kept = await person.page.evaluate(() => localStorage.getItem('fairlead.saved') ?? '');
  expect(kept).toContain('puser');
  expect(kept).not.toContain('Danger');
});
