import { hostBehindSquid } from '../destinations.ts';
import { expect, test } from '../story.ts';
import { words } from '../words.ts';

test('keeps folder and variables between lines', async ({ person, stack, secrets }) => {
  await person.connect(hostBehindSquid(stack));
  await person.run('cd /usr/share');
  await person.run(`set VESSEL=${secrets.keep('Cutty-Sark-1869')}`);
  await person.run('echo [%VESSEL%]');
  await person.seesRow('[Cutty-Sark-1869]');
  await person.run('pwd');
  await person.seesRow('/usr/share');
  await expect(person.page.locator('span[title^="/usr/share"]')).toBeVisible();
  await person.run('unheard-of-command');
  await person.seesRow(/is not recognized/);
});

test('carries text outside ASCII both ways and empties the line', async ({ person, stack, secrets }) => {
  await person.connect(hostBehindSquid(stack));
  await person.run(`set GREETING=${secrets.keep('Grüße, 世界 – naïve €5')}`);
  await expect(person.input).toHaveValue('');
  await person.run('echo [%GREETING%]');
  await expect(person.input).toHaveValue('');
  // Wide characters stand in cells of their own, so the terminal's text is compared without blanks.
  await expect(async () => {
    const rows = await person.rows.allTextContents();
    expect(rows.map((row) => row.replace(/\s/g, ''))).toContain('[Grüße,世界–naïve€5]');
  }).toPass();
  expect(await person.savedOutput()).toBe('[Grüße, 世界 – naïve €5]\r\n'.replace('\r\n', '\n'));
});

for (const { what, line, why } of [
  { what: 'control characters', line: 'echo a\u0001b\u001b[31m', why: /^The line contains a control character/ },
  {
    what: 'more than cmd.exe takes',
    line: `echo ${'x'.repeat(1_000_000)}`,
    why: /^The line is too long\. At most 8,191/,
  },
  { what: 'half a character', line: 'echo \ud83d', why: /^The line contains half a character/ },
]) {
  test(`keeps a line with ${what} in its field and sends nothing`, async ({ person, stack, watch }) => {
    await person.connect(hostBehindSquid(stack));
    await person.run('hostname');
    const before = watch.frameBytes;
    await person.input.evaluate((field, text) => {
      // Past the setter that React keeps on the field itself, as typing goes past it.
      Reflect.set(HTMLTextAreaElement.prototype, 'value', text, field);
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }, line);
    await person.input.press('Enter');
    const notice = person.page.getByRole('alert').filter({ hasText: why });
    await expect(notice).toBeVisible();
    expect(await person.input.evaluate((field: HTMLTextAreaElement, text) => field.value === text, line)).toBe(true);
    expect(watch.frameBytes - before).toBeLessThan(20_000);
    await expect(person.rows.filter({ hasText: /echo/ })).toHaveCount(0);
    await person.run('echo corrected | rev');
    await person.seesRow('detcerroc');
    await expect(notice).toHaveCount(0);
  });
}

test('draws plain line feeds as lines, over the whole width of the window', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.run("printf 'one\\ntwo\\nthree\\n'");
  await person.seesRow('two');
  await person.seesRow('three');
  const wide = 'w'.repeat(120);
  await person.run(`printf 'w%.0s' $(seq 120); echo`);
  await person.seesRow(wide);
});

test('shows error output apart', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.run('echo fine; echo broken | rev >&2; echo again');
  await person.seesRow('nekorb');
  await expect(person.page.locator('.fl-stderr > *')).not.toHaveCount(0);
  const view = await person.commandView();
  const article = view.getByRole('article').last();
  await expect(article).toContainText(/1 error line/);
  const errors = article.locator('pre > span').filter({ hasText: words('session.commands.stderr') });
  await expect(errors).toHaveText(new RegExp(`^${words('session.commands.stderr')}\\s*nekorb\\s*$`));
  await expect(article.locator('pre')).toContainText('again');
});

test('brings every line of a listing of five megabytes', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  const count = 130_000;
  await person.run(`seq -f "%08g abcdefghijklmnopqrstuvwxyz0123" 1 ${count}`);
  await expect(person.announcement).toContainText('130,000 lines');
  await person.seesRow('00130000 abcdefghijklmnopqrstuvwxyz0123');
  const lines = (await person.savedOutput()).split('\n');
  expect(lines.length).toBe(count + 1);
  expect(lines.at(-1)).toBe('');
  const wrong = lines.slice(0, count).findIndex((line, at) => {
    return line.trimEnd() !== `${String(at + 1).padStart(8, '0')} abcdefghijklmnopqrstuvwxyz0123`;
  });
  expect(wrong).toBe(-1);
});

test('stops a running command with Ctrl+C and goes on', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.begin('echo begun; sleep 1000');
  await person.seesRow('begun');
  await expect(person.button('session.running.stop')).toBeVisible();
  await person.page.keyboard.press('Control+c');
  await expect(person.input).toBeVisible();
  await expect(person.button('session.running.stop')).toBeHidden();
  await expect(person.announcement).toContainText('stopped');
  await person.run('echo after | rev');
  await person.seesRow('retfa');
});

test('stops a command that floods the screen', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.begin('yes floodfloodflood');
  await person.seesRow('floodfloodflood');
  await person.page.keyboard.press('Control+c');
  await expect(person.button('session.running.stop')).toBeHidden();
  await person.run('echo after | rev');
  await person.seesRow('retfa');
});

test('answers a running program and ends its input', async ({ person, stack, secrets }) => {
  await person.connect(hostBehindSquid(stack));
  await person.begin('read A; echo "<$A>" | tr -d "\\r"');
  await person.programInput.fill(secrets.keep('seventeen herrings'));
  await person.programInput.press('Enter');
  await person.seesRow('<seventeen herrings>');
  await expect(person.input).toBeVisible();
});

test('hides what a program asks for in secret', async ({ person, stack, secrets }) => {
  await person.connect(hostBehindSquid(stack));
  const hidden = secrets.keep('open-sesame-4711');
  // The line arrives with CR LF, as a Windows program expects it.
  await person.begin('printf "Password: "; read A; echo "length $(printf %s "$A" | wc -c)"');
  const field = person.page.getByLabel(words('session.input.hiddenLabel'), { exact: true });
  await expect(field).toHaveAttribute('type', 'password');
  await field.fill(hidden);
  await field.press('Enter');
  await person.seesRow(/length 17/);
  await expect(person.input).toBeVisible();
  await expect(person.page.getByText(hidden)).toHaveCount(0);
  await person.input.press('ArrowUp');
  await expect(person.input).not.toHaveValue(hidden);
});

test('tells the exit code of a shell and of a single command', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.begin('exit 7');
  await expect(person.page.getByText(words('session.end.exit', { code: 7 }))).toBeVisible();
  await expect(person.status).toHaveAccessibleName(new RegExp(words('session.status.ended', { code: 7 })));
  await person.button('session.end.newShell').click();
  await person.seesPrompt();
  await person.run('echo again | rev');
  await person.seesRow('niaga');

  await person.page.getByRole('link', { name: words('session.home') }).click();
  await person.connect(hostBehindSquid(stack, { command: 'echo once | rev; exit 42' }));
  await expect(person.page.getByText(words('session.end.exit', { code: 42 }))).toBeVisible();
  await person.seesRow('ecno');
});

test('walks through history with Up, and searches it with Ctrl+R', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  for (const line of ['echo first-line', 'echo second-line', 'cd /']) await person.run(line);
  await person.input.press('ArrowUp');
  await expect(person.input).toHaveValue('cd /');
  await person.input.press('ArrowUp');
  await expect(person.input).toHaveValue('echo second-line');
  await person.input.press('ArrowDown');
  await person.input.press('ArrowDown');
  await expect(person.input).toHaveValue('');
  await person.input.press('Control+r');
  await person.page.keyboard.type('first');
  await expect(
    person.page.getByRole('status').or(person.page.locator('output')).filter({ hasText: 'echo first-line' }).first(),
  ).toBeVisible();
  await person.page.keyboard.press('Tab');
  await expect(person.input).toHaveValue('echo first-line');
});

test('asks before several lines are pasted, and runs them one after the other', async ({ person, stack, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await person.connect(hostBehindSquid(stack));
  const { page } = person;
  await page.evaluate(() => navigator.clipboard.writeText('echo one | rev\r\necho two | rev\r\necho three | rev\r\n'));
  await person.input.press('Control+v');
  await expect(person.dialog.getByRole('heading')).toHaveText('Paste 3 lines?');
  await expect(person.dialog.locator('pre')).toHaveText('echo one | rev\necho two | rev\necho three | rev');
  await person.button('session.paste.cancel').click();
  await expect(person.input).toHaveValue('');

  await person.input.press('Control+v');
  await person.dialog.getByRole('button', { name: 'Paste 3 lines' }).click();
  await expect(person.input).toHaveValue('echo one | rev\necho two | rev\necho three | rev');
  await person.input.press('Enter');
  await person.seesRow('eerht');
  await expect(person.input).toBeVisible();
  const rows = (await person.rows.allTextContents()).map((row) => row.trim());
  expect(rows.filter((row) => ['eno', 'owt', 'eerht'].includes(row))).toEqual(['eno', 'owt', 'eerht']);
});

test('finds text in the output', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.run("printf 'needle\\nhay\\nneedle\\nNEEDLE\\n' | rev | rev");
  await person.page.keyboard.press('Control+Shift+F');
  const bar = person.page.getByRole('search', { name: words('session.find.label') });
  const field = bar.getByRole('textbox');
  await expect(field).toBeFocused();
  await field.fill('hay');
  await expect(bar.locator('output')).toContainText(/\d+ of \d+/);
  await field.fill('no such text');
  await expect(bar.locator('output')).toHaveText(words('session.find.none'));
  await bar.getByRole('button', { name: words('session.find.isRegex') }).click();
  await field.fill('nee(');
  await expect(bar.locator('output')).toHaveText(words('session.find.badRegex'));
  await field.press('Escape');
  await expect(bar).toBeHidden();
  await expect(person.input).toBeFocused();
});

test('warns once of a program that would wait for a console', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.begin('python3');
  await expect(person.page.getByText(words('session.hanger.instead'))).toBeVisible();
  await person.button('session.hanger.use').click();
  await expect(person.input).not.toHaveValue('python3');
  await expect(person.input).not.toHaveValue('');
});

test('keeps two sessions apart', async ({ person, stack }) => {
  const to = hostBehindSquid(stack);
  await person.connect({ ...to, name: 'Port side' });
  await person.run('set SIDE=port');
  await person.page.keyboard.press('Alt+Shift+T');
  await expect(person.dialog).toBeVisible();
  await person.fillAndConnect({ ...to, name: 'Starboard side' });
  const tabs = person.page.getByRole('navigation', { name: words('session.tabs.label') });
  await expect(tabs.getByRole('listitem')).toHaveCount(2);
  await person.seesPrompt();
  await person.run('set SIDE=starboard');
  expect(stack.host.shellCount).toBe(2);

  await tabs.getByRole('button', { name: /^Port side/ }).click();
  await person.run('echo %SIDE% | rev');
  await person.seesRow('trop');
  await person.page.keyboard.press('Alt+2');
  await person.run('echo %SIDE% | rev');
  await person.seesRow('draobrats');
  await expect(person.rows.filter({ hasText: 'trop' })).toHaveCount(0);
});

test('deletes the shell on the server when its tab is closed', async ({ person, stack }) => {
  stack.host.journal.clear();
  await person.connect(hostBehindSquid(stack, { name: 'Dinghy' }));
  await person.run('cd /');
  expect(stack.host.shellCount).toBe(1);
  await person.button('session.tabs.close', { name: 'Dinghy' }).click();
  await expect(person.page.getByText(words('session.close.done', { name: 'Dinghy' }))).toBeVisible();
  await expect.poll(() => stack.host.shellCount).toBe(0);
  const { journal } = stack.host;
  expect(journal.connections().flatMap(({ operations }) => operations)).toContain('Delete');
  // Each lane was one connection with one handshake.
  const used = journal.connections().filter(({ operations }) => operations.length > 0);
  expect(used.map(({ handshakeCount, refusalCount }) => ({ handshakeCount, refusalCount }))).toEqual([
    { handshakeCount: 1, refusalCount: 0 },
    { handshakeCount: 1, refusalCount: 0 },
  ]);
});

test('asks before it closes a tab whose command still runs', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack, { name: 'Dinghy' }));
  await person.begin('sleep 1000');
  await expect(person.button('session.running.stop')).toBeVisible();
  await person.button('session.tabs.close', { name: 'Dinghy' }).click();
  await person.button('session.close.keep').click();
  expect(stack.host.shellCount).toBe(1);
  await person.button('session.tabs.close', { name: 'Dinghy' }).click();
  await person.button('session.close.confirm').click();
  await expect.poll(() => stack.host.shellCount).toBe(0);
});

test('goes on when the server closes both connections between requests', async ({ person, stack }) => {
  await person.connect(hostBehindSquid(stack));
  await person.run('set KEPT=yes');
  stack.host.killConnections();
  await expect(async () => {
    await person.run('echo %KEPT% | rev');
    await person.seesRow('sey');
  }).toPass();
});
