import { Buffer } from 'node:buffer';
import type { Locator } from 'playwright/test';
import { HOST_USER, secureHostBehindSquid } from '../destinations.ts';
import { looksRight } from '../looks-right.ts';
import { PROXY_ONLY_NAME, RIG_ACCOUNT, RIG_PROXY_ACCOUNTS } from '../peers/peers.ts';
import type { Person } from '../person.ts';
import { HOST_ACCOUNT } from '../stack.ts';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

const { ntlm, plain } = RIG_PROXY_ACCOUNTS;
const HOST = { user: HOST_USER, password: HOST_ACCOUNT.password };
const at = (port: number): string => `127.0.0.1:${port}`;

/** Fills in server and account, and opens the form for a new route. */
async function beginRoute(person: Person, server: string, account = HOST): Promise<void> {
  const { dialog } = person;
  await person.openDialog();
  await person.field('connect.server').fill(server);
  await person.field('connect.user').fill(account.user);
  await dialog.getByLabel(words('connect.password'), { exact: true }).fill(account.password);
  await routeList(person).selectOption({ label: words('connect.newRoute') });
}

async function paste(person: Person, settings: string): Promise<void> {
  await person.dialog.getByText(words('routes.paste'), { exact: true }).click();
  await person.field('routes.pasted.label').fill(settings);
}

/** What the pasted settings were understood as. */
function found(person: Person): Locator {
  return person.dialog.getByRole('status', { name: words('routes.found.label'), exact: true });
}

const routeList = (person: Person): Locator =>
  person.dialog.getByRole('combobox', { name: words('connect.route'), exact: true });

/** The fields for one proxy of the road. */
function signInAt(person: Person, port: number) {
  const group = person.dialog.getByRole('group', {
    name: words('connect.proxy.fold', { address: at(port) }),
    exact: true,
  });
  return {
    group,
    user: group.getByLabel(words('connect.proxy.user'), { exact: true }),
    password: group.getByLabel(words('connect.proxy.password'), { exact: true }),
    means: group.getByRole('combobox', { name: words('connect.proxy.meansLabel'), exact: true }),
  };
}

const connect = (person: Person): Promise<void> =>
  person.dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();

async function opens(person: Person, text: string, scheme: 'http' | 'https' = 'https'): Promise<void> {
  if (scheme === 'https') await person.button('trust.first.once').click();
  await person.seesPrompt();
  await person.run(`echo ${text} | rev`);
  await person.seesRow([...text].reverse().join(''));
}

test('what netsh prints gives the road: through its proxy, or past it where an exception names the server', async ({
  person,
  stack,
}) => {
  const netsh = [
    '',
    'Current WinHTTP proxy settings:',
    '',
    `    Proxy Server(s) :  http=${at(stack.squidTap.port)};https=127.0.0.1:9`,
    '    Bypass List     :  *.corp.example;10.*;<local>',
    '',
  ].join('\r\n');
  // A name that only the proxy can resolve: a direct road would end here.
  await beginRoute(person, `http://${PROXY_ONLY_NAME}:${stack.gssTap.port}`, RIG_ACCOUNT);
  await paste(person, netsh);
  await expect(found(person)).toContainText(words('routes.found.source.netsh'));
  await expect(found(person)).toContainText(words('routes.found.road.plain', { address: at(stack.squidTap.port) }));
  await person.field('routes.pasted.for').fill('https://db.corp.example');
  await expect(found(person)).toContainText(words('routes.found.direct'));
  await expect(found(person)).toContainText(words('routes.found.why.bypassed'));
  await looksRight(person.page);
  await person.field('routes.pasted.for').fill('');
  await expect(found(person)).toContainText(words('routes.found.why.for-scheme'));
  const before = stack.squidTap.connectionCount;
  await person.button('routes.pasted.use').click();
  await expect(routeList(person)).toContainText(at(stack.squidTap.port));
  await connect(person);
  await opens(person, 'by netsh', 'http');
  expect(stack.squidTap.connectionCount).toBeGreaterThan(before);
});

test('settings that are kept give each server its own road', async ({ person, stack }) => {
  const lines = `export HTTPS_PROXY=http://user:Rope-4711@${at(stack.squidTap.port)}\nNO_PROXY=10.0.0.0/8,127.0.0.1:${stack.gssTap.port}`;
  await beginRoute(person, `https://${at(stack.secureTap.port)}`);
  await paste(person, lines);
  await expect(found(person)).toContainText(words('routes.found.source.environment'));
  await expect(found(person)).toContainText(
    words('routes.found.warning.credentials-dropped', { setting: 'HTTPS_PROXY' }),
  );
  await person.button('routes.pasted.keep').click();
  await expect(routeList(person)).toContainText(words('connect.routeAutomatic', { name: words('routes.pastedName') }));
  const kept = await person.page.evaluate(() => localStorage.getItem('fairlead.saved') ?? '');
  expect(kept).toContain(at(stack.squidTap.port));
  expect(kept).not.toContain('@');
  await expect(found(person)).toContainText(words('routes.found.road.plain', { address: at(stack.squidTap.port) }));
  await looksRight(person.page);
  const before = stack.squidTap.connectionCount;
  await connect(person);
  await opens(person, 'by the environment');
  expect(stack.squidTap.connectionCount).toBeGreaterThan(before);
  await person.page.goto('/');
  await person.openDialog();
  await person.field('connect.server').fill(`https://${at(stack.gssTap.port)}`);
  await routeList(person).selectOption({ index: 1 });
  await expect(found(person)).toContainText(words('routes.found.why.bypassed'));
});

test('a PAC file sends one server through its proxy and another one directly, and says why', async ({
  person,
  stack,
}) => {
  const script = [
    'function FindProxyForURL(url, host) {',
    '  if (isInNet(host, "10.0.0.0", "255.0.0.0")) return "DIRECT";',
    `  if (url.substring(0, 6) === "https:") return "PROXY ${at(stack.squidTap.port)}; DIRECT";`,
    '  return isResolvable(host) ? "DIRECT" : "SOCKS4 127.0.0.1:9; PROXY 127.0.0.1:9";',
    '}',
  ].join('\n');
  await beginRoute(person, `https://${at(stack.secureTap.port)}`);
  await person.dialog.getByText(words('routes.paste'), { exact: true }).click();
  const choosing = person.page.waitForEvent('filechooser');
  await person.button('routes.pasted.file').click();
  await (await choosing).setFiles({ name: 'office.pac', mimeType: 'text/plain', buffer: Buffer.from(script) });
  await expect(found(person)).toContainText(words('routes.found.source.pac'));
  await expect(found(person)).toContainText(words('routes.found.road.plain', { address: at(stack.squidTap.port) }));
  await expect(found(person)).toContainText(words('routes.found.others'));
  await person.field('routes.pasted.for').fill('http://10.1.2.3');
  await expect(found(person)).toContainText(words('routes.found.direct'));
  await person.field('routes.pasted.for').fill('http://win.example');
  await expect(found(person)).toContainText(words('routes.found.unresolved', { names: 'win.example' }));
  await expect(found(person)).toContainText(words('routes.found.warning.socks4', { about: '127.0.0.1:9' }));
  await looksRight(person.page);
  await person.page.setViewportSize({ width: 1280, height: 800 });
  await person.button('routes.pasted.keep').click();
  await expect(routeList(person)).toContainText(words('connect.routeAutomatic', { name: 'office.pac' }));
  const before = stack.squidTap.connectionCount;
  await connect(person);
  await opens(person, 'by a script');
  expect(stack.squidTap.connectionCount).toBeGreaterThan(before);
});

test('a proxy that stands beside the address of a PAC file can be taken without the file', async ({
  person,
  stack,
}) => {
  const registry = [
    'HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings',
    '    ProxyEnable    REG_DWORD    0x1',
    `    ProxyServer    REG_SZ    ${at(stack.squidTap.port)}`,
    '    AutoConfigURL    REG_SZ    http://wpad.corp.example/proxy.pac',
  ].join('\r\n');
  // Not this machine, to which such settings go directly.
  await beginRoute(person, `http://${PROXY_ONLY_NAME}:${stack.gssTap.port}`, RIG_ACCOUNT);
  await paste(person, registry);
  const road = words('routes.found.road.plain', { address: at(stack.squidTap.port) });
  await expect(person.dialog.getByText(words('routes.pasted.beside', { road }))).toBeVisible();
  await looksRight(person.page);
  await person.page.setViewportSize({ width: 1280, height: 800 });
  await person.button('routes.pasted.useBeside').click();
  await expect(routeList(person)).toContainText(at(stack.squidTap.port));
  const before = stack.squidTap.connectionCount;
  await connect(person);
  await opens(person, 'beside the file', 'http');
  expect(stack.squidTap.connectionCount).toBeGreaterThan(before);
});

test('text that is nothing of the kind is said to be so', async ({ person }) => {
  await beginRoute(person, 'https://web01');
  await paste(person, 'the proxy is the one in the hall');
  await expect(person.dialog.getByRole('alert')).toBeVisible();
  await looksRight(person.page);
});

test('two proxies, put in order with the keyboard, are each signed in to with their own account', async ({
  person,
  stack,
  secrets,
}) => {
  const { page, dialog } = person;
  secrets.keep(ntlm.password);
  const key = async (...keys: string[]): Promise<void> => {
    for (const one of keys) await page.keyboard.press(one);
  };
  await beginRoute(person, `https://${at(stack.secureTap.port)}`);
  await routeList(person).focus();
  await key('Tab', 'Tab');
  await expect(person.field('routes.address')).toBeFocused();
  await page.keyboard.type(at(stack.basicSquid.port));
  const add = dialog.getByRole('button', { name: words('routes.addHop'), exact: true });
  while (!(await add.evaluate((one) => one === document.activeElement))) await key('Tab');
  await key('Enter');
  const addresses = dialog.getByRole('textbox', { name: words('routes.address'), exact: true });
  await expect(addresses.last()).toBeFocused();
  await page.keyboard.type(at(stack.askingTap.port));
  await key('Alt+ArrowUp');
  await expect(addresses.first()).toHaveValue(at(stack.askingTap.port));
  await expect(dialog.getByText(words('routes.moved', { place: 1, count: 2 }))).toBeAttached();
  await looksRight(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await addresses.last().focus();
  await key('Enter');
  await expect(routeList(person)).toContainText(`${at(stack.askingTap.port)}, ${at(stack.basicSquid.port)}`);
  await connect(person);
  await person.fails('proxy.auth-required');
  await person.button('progress.proxySignIn').press('Enter');
  const near = signInAt(person, stack.askingTap.port);
  await expect(near.user).toBeFocused();
  await expect(near.group).toContainText('NTLM');
  await page.keyboard.type(ntlm.user);
  await key('Tab');
  await page.keyboard.type(ntlm.password);
  await key('Enter');
  await person.fails('proxy.auth-required');
  await person.button('progress.proxySignIn').press('Enter');
  const far = signInAt(person, stack.basicSquid.port);
  await expect(far.user).toBeFocused();
  await far.user.fill(plain.user);
  await far.password.fill('not it');
  await far.means.selectOption({ label: words('connect.proxy.means.basic') });
  await connect(person);
  await person.fails('proxy.auth-rejected');
  await person.button('progress.proxySignIn').click();
  await expect(far.user).toBeFocused();
  await expect(far.user).toHaveValue(plain.user);
  await far.group.getByText(words('connect.proxy.words.fold')).click();
  await expect(far.group).toContainText(words('connect.proxy.words.status', { status: 407 }));
  await looksRight(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await expect(far.means).toHaveValue('basic');
  await far.password.fill(plain.password);
  await connect(person);
  await opens(person, 'past both');
});

test('a SOCKS proxy is a road like any other', async ({ person, stack }) => {
  await beginRoute(person, `https://${at(stack.secureTap.port)}`);
  await person.field('routes.address').fill(`socks5://${at(stack.socks.port)}`);
  await expect(person.dialog.getByRole('combobox', { name: words('routes.kind'), exact: true })).toHaveValue('socks5');
  await person.field('routes.name').fill('By Dante');
  await person.button('routes.save').click();
  await person.dialog
    .getByText(words('connect.proxy.fold', { address: at(stack.socks.port) }))
    .first()
    .click();
  await expect(person.dialog.getByText(words('connect.proxy.socksShows'))).toBeVisible();
  await connect(person);
  await opens(person, 'by socks');
});

test('a proxy that begins to ask while a session stands there leads from its page to the proxy’s fields', async ({
  person,
  stack,
  secrets,
}) => {
  secrets.keep(ntlm.password);
  try {
    await person.connect(secureHostBehindSquid(stack, { trust: 'pin', name: 'Witness' }));
    await person.begin('exit 0');
    stack.squidTap.aim(stack.askingSquid.port);
    await person.button('session.end.newShell').click();
    await person.fails('proxy.auth-required');
    await person.button('progress.proxySignIn').click();
    const fields = signInAt(person, stack.squidTap.port);
    await expect(fields.user).toBeFocused();
    await expect(person.field('connect.server')).toHaveValue(`https://${at(stack.secureTap.port)}`);
    await fields.user.fill(ntlm.user);
    await fields.password.fill(ntlm.password);
    await connect(person);
    await person.seesPrompt();
  } finally {
    stack.squidTap.aim(stack.squid.port);
  }
});

test('for an http target the way out is one press away', async ({ person, stack }) => {
  await person.openDialog();
  await person.field('connect.server').fill(`http://${at(stack.hostTap.port)}`);
  await person.addProxy({ port: stack.askingTap.port, kind: 'http-connect' });
  await expect(person.dialog.getByText(words('connect.proxy.danger'))).toHaveCount(0);
  await person.button('connect.proxy.useHttps').click();
  await expect(person.field('connect.server')).toHaveValue('https://127.0.0.1');
  await expect(person.dialog.getByText(words('connect.proxy.needsHttps'))).toHaveCount(0);
});

test('a proxy that refuses a tunnel is handed sealed requests instead, and the page says so (R4)', async ({
  person,
  stack,
}) => {
  await beginRoute(person, `http://${at(stack.hostTap.port)}`);
  await person.field('routes.address').fill(at(stack.packagedSquid.port));
  const kind = person.dialog.getByRole('combobox', { name: words('routes.kind'), exact: true });
  await expect(kind.locator('option:checked')).toHaveText(words('routes.tunnelFirst'));
  await person.button('routes.save').click();
  await connect(person);
  await opens(person, 'in absolute form', 'http');
  const proxy = at(stack.packagedSquid.port);
  await expect(person.page.getByText(words('advice.tunnel-refused', { proxy, status: 403 }))).toBeVisible();
});
