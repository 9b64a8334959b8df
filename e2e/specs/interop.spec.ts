import { gssBehindSquid } from '../destinations.ts';
import { connectionsOf } from '../interop/run-session.ts';
import { PROXY_ONLY_NAME } from '../peers/peers.ts';
import type { ProxyChoice } from '../person.ts';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

/** The whole story with parts that are not ours: a real Squid on the road, GSS-API's NTLM and SPNEGO at its end. */
for (const kind of ['http-connect', 'http-forward'] as const satisfies readonly ProxyChoice['kind'][]) {
  test(`works through Squid (${kind}) with a server on GSS-API`, async ({ person, stack, secrets }) => {
    const { page } = person;
    const known = connectionsOf(stack.gss).length;
    await person.connect(gssBehindSquid(stack, { proxy: { port: stack.squidTap.port, kind }, name: 'Rig' }));
    await expect(person.status).toHaveAccessibleName(kind === 'http-connect' ? /\(CONNECT\)/ : /\(forwarding\)/);

    await person.run('cd /usr');
    await person.run(`set CARGO=${secrets.keep('forty-two-anvils')}`);
    await person.run('echo [%CARGO%]; cd');
    await person.seesRow('[forty-two-anvils]');
    await person.seesRow('/usr');
    await person.run(`set NAME=${secrets.keep('Märchenschloß 城')}`);
    await person.run('echo %NAME% > /dev/null; echo [%NAME%] | tr -d a-zA-Z');
    await person.seesRow(/^\[äß 城/);
    await person.run('echo broken | rev >&2');
    await expect(page.locator('.fl-stderr > *')).not.toHaveCount(0);
    await person.run('seq -f "%08g abcdefghijklmnopqrstuvwxyz0123" 1 20000');
    await expect(person.announcement).toContainText('20,000 lines');
    await person.begin('echo begun; sleep 1000');
    await person.seesRow('begun');
    await page.keyboard.press('Control+c');
    await expect(person.input).toBeVisible();
    await person.run('echo after | rev');
    await person.seesRow('retfa');
    await person.button('session.tabs.close', { name: 'Rig' }).click();
    await expect(page.getByRole('heading', { name: words('session.none.title') })).toBeVisible();

    const lanes = () => connectionsOf(stack.gss).slice(known);
    await expect.poll(() => lanes().flatMap(({ actions }) => actions)).toContain('Delete');
    expect(lanes().map(({ handshakes, failures }) => ({ handshakes, failures }))).toEqual([
      { handshakes: 1, failures: 0 },
      { handshakes: 1, failures: 0 },
    ]);
    expect(lanes().every(({ isForwarded }) => isForwarded)).toBe(kind === 'http-forward');
  });
}

test('reaches a name that only the proxy can resolve', async ({ person, stack }) => {
  await person.connect(gssBehindSquid(stack, { server: `${PROXY_ONLY_NAME}:${stack.gssTap.port}` }));
  await person.run('echo there | rev');
  await person.seesRow('ereht');
});

test('tells the exit code of one command', async ({ person, stack }) => {
  await person.connect(gssBehindSquid(stack, { command: 'echo once | rev; exit 42' }));
  await person.seesRow('ecno');
  await expect(person.page.getByText(words('session.end.exit', { code: 42 }))).toBeVisible();
});

test('says that the server rejected a password, and takes the right one', async ({ person, stack, secrets }) => {
  const to = gssBehindSquid(stack);
  await person.openDialog();
  await person.fillAndConnect({ ...to, password: secrets.keep('not-the-password') });
  await person.fails('auth.rejected');
  await person.button('recovery.new-credential').click();
  await person.dialog.getByLabel(words('connect.password'), { exact: true }).fill(to.password);
  await person.dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
  await person.seesPrompt();
});
