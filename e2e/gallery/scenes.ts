import { Buffer } from 'node:buffer';
import { makeCertificate } from '@fairlead/testbed';
import { expect } from 'playwright/test';
import { HOST_USER, hostBehindSquid, secureHostBehindSquid } from '../destinations.ts';
import { issuedByOther } from '../other-authority.ts';
import type { Person } from '../person.ts';
import { HOST_ACCOUNT, type Stack } from '../stack.ts';
import { words } from '../words.ts';

/** Takes pictures of a state; the name of the scene goes in front. */
type Snap = (state: string, about: string) => Promise<void>;

/** A walk through some screens. */
export interface Scene {
  /** Nobody is signed in. */
  readonly isStranger?: boolean;
  play(person: Person, stack: Stack, snap: Snap): Promise<void>;
}

/** Every scene, by name. */
export const SCENES: Readonly<Record<string, Scene>> = {
  'sign-in': {
    isStranger: true,
    async play(person, _stack, snap) {
      await snap('empty', 'The sign-in screen');
      await person.page.getByLabel(words('signIn.code')).fill('ABCD-EFGH-JKLM');
      await person.button('signIn.action').click();
      await expect(person.page.getByText(words('signIn.problem.wrong'))).toBeVisible();
      await snap('wrong', 'A wrong code');
    },
  },
  unreachable: {
    isStranger: true,
    async play(person, _stack, snap) {
      await person.page.route('**/api/status', (route) => route.abort());
      await person.page.reload();
      await expect(person.page.getByText(words('standing.unreachable.title'))).toBeVisible();
      await snap('relay', 'The relay does not answer');
    },
  },
  home: {
    async play(person, stack, snap) {
      await expect(person.page.getByRole('heading', { name: words('home.title') })).toBeVisible();
      await snap('new', 'Home, nothing saved yet');
      await person.connect(secureHostBehindSquid(stack, { name: 'Harbour web', trust: 'pin' }));
      await person.page.goto('/');
      await expect(person.page.getByText('Harbour web')).toBeVisible();
      await snap('known', 'Home with a server');
    },
  },
  connect: { play: connectScene },
  opening: { play: openingScene },
  'first-contact': { play: firstContactScene },
  'changed-certificate': { play: changedScene },
  session: { play: sessionScene },
  trouble: { play: troubleScene },
  dialogs: { play: dialogScene },
  maze: { isStranger: true, play: mazeScene },
  sees: {
    async play(person, _stack, snap) {
      await person.page.goto('/sees/');
      await expect(person.page.getByRole('heading', { name: words('sees.title') })).toBeVisible();
      await snap('top', 'What this server can see');
      for (const transport of ['https', 'http'] as const) {
        await person.page.locator(`#by-${transport}`).evaluate((element) => element.scrollIntoView());
        await snap(transport, `What can be read over ${transport}`);
      }
    },
  },
  empty: {
    async play(person, _stack, snap) {
      await person.page.goto('/session/');
      await expect(person.page.getByRole('heading', { name: words('session.none.title') })).toBeVisible();
      await snap('session', 'No open session');
      await person.page.goto('/nowhere/');
      await expect(person.page.getByRole('heading', { name: words('notFound.title') })).toBeVisible();
      await snap('address', 'Nothing at this address');
    },
  },
};

async function connectScene(person: Person, stack: Stack, snap: Snap): Promise<void> {
  const { dialog, page } = person;
  await person.openDialog();
  await snap('empty', 'The connect dialog');
  await dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
  await snap('problems', 'What is missing');
  await person.addProxy({ port: stack.squidTap.port, kind: 'http-connect' });
  await person.field('connect.server').fill('web01.corp.example');
  await person.field('connect.user').fill('CORP\\ana');
  await snap('recommended', 'HTTPS recommended behind a proxy');
  await dialog.getByText(words('connect.transport.http'), { exact: true }).click();
  await snap('http', 'HTTP behind a proxy');
  await dialog.getByText(words('connect.transport.httpsRecommended'), { exact: true }).click();
  const policy = dialog.getByRole('combobox', { name: words('connect.signIn'), exact: true });
  await policy.selectOption('basic');
  await snap('basic', 'Basic over TLS');
  await policy.selectOption('certificate');
  const { certificate, key } = makeCertificate({
    commonName: 'Ana',
    usage: 'client',
    userPrincipalName: 'ana@corp.example',
  });
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    dialog.getByRole('button', { name: words('connect.certificate.choose') }).click(),
  ]);
  await chooser.setFiles([
    { name: 'ana.pem', mimeType: 'application/x-pem-file', buffer: Buffer.from(certificate + key) },
  ]);
  await expect(dialog.getByText('ana@corp.example')).toBeVisible();
  await dialog.getByText(words('connect.certificate.label')).scrollIntoViewIfNeeded();
  await snap('certificate', 'A certificate to sign in with');
  await dialog.getByText(words('connect.more')).click();
  await dialog.getByText(words('connect.legacyTls')).scrollIntoViewIfNeeded();
  await snap('more', 'Everything unfolded');
  await dialog
    .getByRole('combobox', { name: words('connect.route'), exact: true })
    .selectOption({ label: words('connect.newRoute') });
  await dialog.getByText(words('routes.kind')).scrollIntoViewIfNeeded();
  await snap('proxy', 'A new proxy');
}

async function openingScene(person: Person, stack: Stack, snap: Snap): Promise<void> {
  await person.openDialog();
  await person.fillAndConnect({ server: `127.0.0.1:${stack.blackHole.port}`, user: HOST_USER, password: 'x' });
  await expect(person.button('progress.cancel')).toBeVisible();
  await expect.poll(() => stack.blackHole.openCount).toBeGreaterThan(0);
  await snap('running', 'Steps on their way');
  await person.button('progress.cancel').click();
  const proxy = { port: stack.packagedSquid.port, kind: 'http-connect' } as const;
  await person.fillAndConnect(hostBehindSquid(stack, { proxy }));
  await person.fails('proxy.connect-denied');
  await snap('refused', 'A proxy refused the tunnel');
  await person.button('progress.back').click();
  await person.fillAndConnect(hostBehindSquid(stack, { password: 'wrong' }));
  await person.fails('auth.rejected');
  await snap('rejected', 'A wrong password');
}

async function firstContactScene(person: Person, stack: Stack, snap: Snap): Promise<void> {
  await person.openDialog();
  await person.fillAndConnect(secureHostBehindSquid(stack));
  await expect(person.dialog.getByText(words('trust.first.nothingSent'))).toBeVisible();
  await snap('asked', 'First contact');
  const field = person.field('trust.compare.label');
  await field.fill(stack.host.https?.thumbprints.sha256 ?? '');
  await snap('match', 'The pasted thumbprint is the same');
  await field.fill('AB'.repeat(32));
  await snap('mismatch', 'The pasted thumbprint is another');
  await person.button('trust.first.refuse').click();
  await person.fails('tls.untrusted');
  await snap('refused', 'After a refusal');
}

async function changedScene(person: Person, stack: Stack, snap: Snap): Promise<void> {
  const { host } = stack;
  const before = host.https;
  await person.connect(secureHostBehindSquid(stack, { trust: 'pin' }));
  await person.page.goto('/');
  const meet = async (): Promise<void> => {
    await person.page.getByRole('button', { name: /^Connect to https/ }).click();
    await person.dialog.getByLabel(words('connect.password'), { exact: true }).fill(HOST_ACCOUNT.password);
    await person.dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
    await expect(person.dialog.getByText(words('trust.changed.meaning'))).toBeVisible();
  };
  host.replaceCertificate(makeCertificate({ commonName: 'HARBOUR', names: ['127.0.0.1', 'localhost'] }));
  await meet();
  await snap('renewed', 'Another certificate than the pinned one');
  await person.button('trust.changed.close').click();
  await person.page.goto('/');
  host.replaceCertificate(issuedByOther('Inspecting proxy'));
  await meet();
  await snap('intercepted', 'A certificate by another issuer');
  await person.button('trust.changed.review').click();
  await expect(person.dialog.getByRole('heading', { name: words('settings.certificates.title') })).toBeFocused();
  await snap('review', 'The pins in the settings');
  await person.dialog.getByRole('button', { name: /^Remove the trust/ }).click();
  await snap('remove', 'Removing a pin');
  if (before !== null) host.replaceCertificate(makeCertificate({ commonName: 'HARBOUR', names: ['127.0.0.1'] }));
}

async function sessionScene(person: Person, stack: Stack, snap: Snap): Promise<void> {
  const { page } = person;
  await person.connect(secureHostBehindSquid(stack, { name: 'Harbour web', trust: 'pin' }));
  await person.run('export LS_COLORS=di=1\\;36');
  await person.page.keyboard.press('Control+l');
  await person.run('ver');
  await person.run('cd /usr/share');
  await person.run('ls --color=always -C --width=100 | head -8');
  await person.run('df -h --output=source,size,used,pcent,target /');
  await person.run('type harbour.conf');
  await person.run('date "+%F %R"');
  await snap('shell', 'A session over HTTPS');
  await person.commandView();
  await snap('commands', 'The command view');
  await person.terminalView();
  await person.status.click();
  await expect(person.dialog).toBeVisible();
  await snap('hops', 'Hops, times and the certificate');
  await page.keyboard.press('Escape');
  await person.begin('sleep 1000');
  await expect(person.button('session.running.stop')).toBeVisible();
  await snap('running', 'A command runs');
  await page.keyboard.press('Control+c');
  await expect(person.input).toBeVisible();
  await person.begin('vim notes.txt');
  await expect(page.getByText(words('session.hanger.instead'))).toBeVisible();
  await snap('hanger', 'A program that would hang');
  await person.button('session.hanger.drop').click();
  await person.input.fill('');
  await page.keyboard.press('Control+Shift+F');
  await page.keyboard.type('lib');
  await snap('find', 'Find in output');
  await page.keyboard.press('Escape');
  await person.begin('exit 3');
  await expect(page.getByText(words('session.end.exit', { code: 3 }))).toBeVisible();
  await snap('ended', 'The shell has ended');
}

async function mazeScene(person: Person, stack: Stack, snap: Snap): Promise<void> {
  const roomButton = (room: string, key: string) =>
    person.button('demo.maze.openNamed', {
      action: words(`demo.maze.${key}`),
      room: words(`demo.maze.room.${room}.title`),
    });
  await person.signIn(await stack.product.takeCode());
  await person.button('home.demo.mazeLabel').click();
  await expect(roomButton('moves', 'open')).toBeVisible();
  await snap('list', 'The demo’s rooms, nothing tried yet');
  await roomButton('moves', 'open').click();
  await person.fails('proxy.no-affinity');
  await snap('moved', 'A proxy moved the connection');
  await person.button('recovery.change-route').click();
  await expect(roomButton('moves', 'wayOut.around')).toBeFocused();
  await snap('way-out', 'Back in the list, with the way out');
}

async function troubleScene(person: Person, stack: Stack, snap: Snap): Promise<void> {
  await person.connect(hostBehindSquid(stack));
  await person.run('hostname');
  await snap('http', 'A session over HTTP');
  stack.host.closeShells();
  await person.fails('shell.closed');
  await snap('closed', 'The server closed the shell');
}

async function dialogScene(person: Person, _stack: Stack, snap: Snap): Promise<void> {
  const { page } = person;
  await person.button('nav.settings').click();
  await expect(person.dialog).toBeVisible();
  await snap('settings', 'Settings');
  await person.dialog.getByRole('button', { name: words('settings.certificates.add') }).click();
  await person.dialog.getByText(words('settings.certificates.title'), { exact: true }).scrollIntoViewIfNeeded();
  await snap('certificates', 'Adding a thumbprint');
  await page.keyboard.press('Escape');
  await page.keyboard.press('F1');
  await expect(page.getByRole('combobox', { name: words('palette.search') })).toBeFocused();
  await snap('palette', 'The palette');
  await page.keyboard.press('Escape');
  await person.button('home.proxy.action').click();
  await expect(person.dialog).toBeVisible();
  await snap('proxies', 'Saved proxies');
}
