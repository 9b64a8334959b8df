import AxeBuilder from '@axe-core/playwright';
import { makeCertificate } from '@fairlead/testbed';
import { secureHostBehindSquid } from '../destinations.ts';
import { issuedByOther } from '../other-authority.ts';
import type { Person } from '../person.ts';
import { HOST_ACCOUNT, type Stack } from '../stack.ts';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

const OWN_NAMES = ['127.0.0.1', 'localhost'];
/** Of the status line, when a pin vouches for the server. */
const PINNED = /TLS 1\.3 in this tab · certificate pinned/;

/** From home, over a saved server, to whatever comes after its password. */
async function connectAgain(person: Person): Promise<void> {
  await person.page.getByRole('button', { name: /^Connect to https/ }).click();
  await person.dialog.getByLabel(words('connect.password'), { exact: true }).fill(HOST_ACCOUNT.password);
  await person.dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
}

/** What the host has been asked over TLS so far. */
function requestCount(stack: Stack): number {
  return stack.host.journal.connections().reduce((sum, connection) => sum + connection.requestCount, 0);
}

async function axeFindsNothing(person: Person): Promise<void> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await person.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page: person.page }).setLegacyMode(true).analyze();
    found.push(
      ...violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target }) => `${colorScheme}: ${id}: ${JSON.stringify(target)}`),
      ),
    );
  }
  expect(found).toEqual([]);
}

test('meets the demo over HTTPS, through its proxy, and keeps the pin after a reload', async ({ newcomer, stack }) => {
  const { page } = newcomer;
  await page.goto(`/#code=${await stack.product.takeCode()}`);
  await newcomer.button('home.demo.httpsLabel').click();
  await expect(newcomer.dialog.getByText(words('trust.first.nothingSent'))).toBeVisible();
  await newcomer.button('trust.first.pin').click();
  await newcomer.seesPrompt();
  await expect(newcomer.status).toHaveAccessibleName(PINNED);
  await newcomer.run('echo over tls | rev');
  await newcomer.seesRow('slt revo');

  page.on('dialog', (dialog) => void dialog.accept());
  await page.goto('/');
  await newcomer.button('home.demo.httpsLabel').click();
  await newcomer.seesPrompt();
  await expect(newcomer.status).toHaveAccessibleName(PINNED);
});

test('asks at first contact, and sends nothing but the handshake before the answer', async ({ person, stack }) => {
  const before = requestCount(stack);
  await person.openDialog();
  await person.fillAndConnect(secureHostBehindSquid(stack));
  const field = person.field('trust.compare.label');
  await expect(field).toBeFocused();
  await expect(person.dialog.getByText('CN=HARBOUR').first()).toBeVisible();
  await axeFindsNothing(person);

  await field.fill('AB '.repeat(32));
  await expect(person.dialog.getByText(words('trust.compare.mismatch'))).toBeVisible();
  await expect(person.button('trust.first.pin')).toBeDisabled();
  await expect(person.button('trust.first.once')).toBeDisabled();
  const { sha1 = '', sha256 = '' } = stack.host.https?.thumbprints ?? {};
  await field.fill(sha1.toLowerCase().replace(/..(?=.)/g, '$&:'));
  await expect(person.dialog.getByText(words('trust.compare.match'))).toBeVisible();
  await field.fill(sha256);
  await expect(person.dialog.getByText(words('trust.compare.match'))).toBeVisible();
  expect(requestCount(stack)).toBe(before);

  await person.page.keyboard.press('Escape');
  await person.fails('tls.untrusted');
  expect(requestCount(stack)).toBe(before);
  await person.button('recovery.look-again').click();
  await person.button('trust.first.once').click();
  await person.seesPrompt();
  await expect(person.status).toHaveAccessibleName(/certificate trusted once/);
});

test('keeps a pin over a reload, and stops at any other certificate', async ({ person, stack, secrets }) => {
  const { page, dialog } = person;
  await person.connect(secureHostBehindSquid(stack, { trust: 'pin' }));
  secrets.keep('a whelk is no winkle');
  await person.run('echo winkle no is whelk a | tr " " "\\n" | tac | paste -sd " "');
  await person.seesRow('a whelk is no winkle');
  page.on('dialog', (asked) => void asked.accept());
  await page.goto('/');
  await connectAgain(person);
  await person.seesPrompt();
  await expect(person.status).toHaveAccessibleName(PINNED);

  await page.goto('/');
  stack.host.replaceCertificate(makeCertificate({ commonName: 'HARBOUR', names: OWN_NAMES }));
  const before = requestCount(stack);
  await connectAgain(person);
  await expect(dialog.getByText('tls.pin-changed')).toBeVisible();
  await expect(dialog.getByText(words('trust.changed.can.renewed'))).toBeVisible();
  await expect(person.button('trust.changed.close')).toBeFocused();
  await axeFindsNothing(person);
  await person.button('trust.changed.close').click();

  await page.goto('/');
  stack.host.replaceCertificate(issuedByOther('Inspecting proxy'));
  await connectAgain(person);
  await expect(dialog.getByText('tls.intercepted')).toBeVisible();
  await expect(dialog.getByText(/Inspecting proxy/).first()).toBeVisible();
  expect(requestCount(stack)).toBe(before);

  await person.button('trust.changed.review').click();
  await dialog.getByRole('button', { name: /^Remove the trust/ }).click();
  await person.button('settings.certificates.removeNow').click();
  await page.keyboard.press('Escape');
  stack.host.replaceCertificate(makeCertificate({ commonName: 'HARBOUR', names: OWN_NAMES }));
  await connectAgain(person);
  await person.button('trust.first.pin').click();
  await person.seesPrompt();
});

test('carries Basic inside TLS, and offers it nowhere else', async ({ person, stack, secrets }) => {
  await person.openDialog();
  const policy = person.dialog.getByRole('combobox', { name: words('connect.signIn'), exact: true });
  await person.field('connect.server').fill('web01:5985');
  await expect(policy.locator('option[value=basic]')).toBeDisabled();
  await person.field('connect.server').fill('https://web01');
  await policy.selectOption('basic');
  await person.fillAndConnect(secureHostBehindSquid(stack));
  await person.button('trust.first.once').click();
  await person.seesPrompt();
  await expect(person.status).toHaveAccessibleName(new RegExp(words('session.status.auth.basic')));
  secrets.keep('cockles and mussels');
  await person.run('echo slessum dna selkcoc | rev');
  await person.seesRow('cockles and mussels');
});

test('takes pins to another browser, and refuses a file that is none', async ({ person, stack }) => {
  const { page, dialog } = person;
  await person.connect(secureHostBehindSquid(stack, { trust: 'pin' }));
  page.on('dialog', (asked) => void asked.accept());
  await page.goto('/');
  await person.button('nav.settings').click();
  const exporting = page.waitForEvent('download');
  await person.button('settings.certificates.export').click();
  const file = await (await exporting).path();
  await dialog.getByRole('button', { name: /^Remove the trust/ }).click();
  await person.button('settings.certificates.removeNow').click();
  await expect(dialog.getByText(words('settings.certificates.none'))).toBeVisible();
  const choose = async (chosen: Parameters<import('playwright/test').FileChooser['setFiles']>[0]): Promise<void> => {
    const choosing = page.waitForEvent('filechooser');
    await person.button('settings.certificates.import').click();
    await (await choosing).setFiles(chosen);
  };
  await choose({ name: 'junk.json', mimeType: 'application/json', buffer: Buffer.from('{"pins":[]}') });
  await expect(dialog.getByText(words('settings.certificates.notPins', { name: 'junk.json' }))).toBeVisible();
  await choose(file);
  await expect(dialog.getByText(`127.0.0.1:${stack.secureTap.port}`, { exact: true })).toBeVisible();
});
