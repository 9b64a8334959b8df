import { API_PATHS } from '@fairlead/contract';
import { startWinRmHost } from '@fairlead/testbed';
import { HOST_USER, hostBehindSquid } from '../destinations.ts';
import { FORBIDDEN_TARGET, HOST_ACCOUNT } from '../stack.ts';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

test('leads from a wrong password to the right one', async ({ person, stack, secrets }) => {
  const wrong = secrets.keep('Wrong-Horse-Battery');
  await person.openDialog();
  await person.fillAndConnect(hostBehindSquid(stack, { password: wrong }));
  await person.fails('auth.rejected');
  await expect(person.failure).toContainText(HOST_ACCOUNT.user);

  await person.button('recovery.new-credential').click();
  const field = person.dialog.getByLabel(words('connect.password'), { exact: true });
  await expect(field).toBeFocused();
  await field.fill(HOST_ACCOUNT.password);
  await field.press('Enter');
  await person.seesPrompt();
  // A connection on which a sign-in failed is never used again.
  const refused = stack.host.journal.connections().filter(({ refusalCount }) => refusalCount > 0);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.map(({ handshakeCount, isOpen }) => ({ handshakeCount, isOpen }))).toEqual(
    refused.map(() => ({ handshakeCount: 0, isOpen: false })),
  );
});

test('says that nobody listens, and leads back to the form', async ({ person, stack }) => {
  await person.openDialog();
  const server = `127.0.0.1:${stack.closedPort}`;
  await person.fillAndConnect({ server, user: HOST_USER, password: 'x' });
  await person.fails('relay.connection-refused');
  await expect(person.failure).toContainText(String(stack.closedPort));
  await person.button('recovery.change-route').click();
  await expect(person.dialog.getByRole('combobox', { name: words('connect.route'), exact: true })).toBeFocused();
  await expect(person.field('connect.server')).toHaveValue(server);
});

test('says that a proxy found nobody there', async ({ person, stack }) => {
  await person.openDialog();
  await person.fillAndConnect(hostBehindSquid(stack, { server: `127.0.0.1:${stack.closedPort}` }));
  await person.fails('proxy.target-unreachable');
  await expect(person.failure).toContainText('503');
});

test('says which target the relay may not reach', async ({ person, watch }) => {
  watch.expectStatus(403, API_PATHS.tickets);
  await person.openDialog();
  await person.fillAndConnect({ server: FORBIDDEN_TARGET, user: HOST_USER, password: 'x' });
  await person.fails('relay.policy-denied');
  await expect(person.failure).toContainText(FORBIDDEN_TARGET);
});

test('shows a proxy’s refusal in the proxy’s own words', async ({ person, stack }) => {
  await person.openDialog();
  await person.fillAndConnect(
    hostBehindSquid(stack, { proxy: { port: stack.packagedSquid.port, kind: 'http-connect' } }),
  );
  await person.fails('proxy.connect-denied');
  await expect(person.failure).toContainText('403');
  await expect(person.failure.getByText(words('failure.evidence'))).toBeVisible();
  await expect(person.failure.locator('pre')).toContainText('Access Denied');
});

for (const place of ['proxy', 'server'] as const) {
  test(`gives up a ${place} that never answers as soon as one cancels`, async ({ person, stack }) => {
    const { port } = stack.blackHole;
    const to =
      place === 'proxy'
        ? hostBehindSquid(stack, { proxy: { port, kind: 'http-connect' } })
        : { server: `127.0.0.1:${port}`, user: HOST_USER, password: HOST_ACCOUNT.password };
    await person.openDialog();
    await person.fillAndConnect(to);
    await expect.poll(() => stack.blackHole.openCount).toBeGreaterThan(0);
    await person.button('progress.cancel').click();
    await expect(person.field('connect.server')).toBeVisible();
    await expect.poll(() => stack.blackHole.openCount).toBe(0);
  });
}

test('says that the server closed the shell, and opens a new one', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.run('set BEFORE=here');
  expect(stack.host.closeShells()).toBe(1);
  await person.fails('shell.closed');
  await expect(person.input).toBeHidden();
  // What was on the screen stays there.
  await person.seesRow(/set BEFORE=here/);
  await person.failure.getByRole('button').first().click();
  await person.seesPrompt();
  await person.run('echo [%BEFORE%] | rev');
  await person.seesRow(']%EROFEB%[');
});

test('connects again to a host that was away, on the road that led to it', async ({ person, stack }) => {
  const start = () => startWinRmHost({ port: stack.closedPort, accounts: [HOST_ACCOUNT], workingDirectory: '/' });
  const host = await start();
  await person.connect({
    server: `127.0.0.1:${stack.closedPort}`,
    user: HOST_USER,
    password: HOST_ACCOUNT.password,
  });
  await person.run('echo before | rev');
  await host.close();
  await expect(person.page.getByText(/^The connection to \S+ was lost \d+ s ago/)).toBeVisible();
  await expect(person.page.getByText(/^127\.0\.0\.1 refused the connection/)).toBeVisible();
  await person.seesRow('erofeb');
  const again = await start();
  try {
    // It is another host by now, which knows nothing of the shell.
    // The page may try by itself just then, and the button go.
    const failed = person.fails('shell.gone');
    const hurried = person.button('session.link.nowLabel').click();
    await Promise.race([failed, hurried.catch(() => failed)]);
    await failed;
    await person.failure.getByRole('button').first().click();
    await person.seesPrompt();
    await person.run('echo after | rev');
    await person.seesRow('retfa');
  } finally {
    await again.close();
  }
});

test('never repeats a line of which nobody knows whether it arrived', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.run('COUNT=0');
  stack.host.misbehaveNext('cut-before-reply', 'Send');
  await person.begin('COUNT=$((COUNT+1)); echo count-$COUNT');
  await expect(person.page.getByRole('alert').filter({ hasText: /nobody can tell/ })).toBeVisible();
  await person.page.keyboard.press('Control+c');
  await expect(person.input).toBeVisible();
  await person.run('echo total-$COUNT');
  await person.seesRow('total-1');
});

test('refuses a reply that is not sealed', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  stack.host.misbehaveNext('plain-reply', 'Receive');
  await person.begin('for i in 1 2 3; do echo $i; sleep 0.2; done');
  await person.fails('proxy.no-affinity');
});

test('says what is wrong with a form before anything is sent', async ({ person, stack }) => {
  const before = stack.squidTap.connectionCount;
  await person.openDialog();
  await person.dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
  await expect(person.dialog.getByText(words('connect.problem.server'))).toBeVisible();
  await person.fillAndConnect({ server: 'http://ana:pw@host/wsman', user: HOST_USER, password: 'x' });
  await expect(person.field('connect.server')).toHaveAttribute('aria-invalid', 'true');
  await person.fillAndConnect({ server: 'host:99999', user: HOST_USER, password: 'x' });
  await expect(person.field('connect.server')).toHaveAttribute('aria-invalid', 'true');
  expect(stack.squidTap.connectionCount).toBe(before);
});
