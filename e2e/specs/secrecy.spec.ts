import { Buffer } from 'node:buffer';
import { gssBehindSquid, hostBehindSquid } from '../destinations.ts';
import { RIG_ACCOUNT } from '../peers/peers.ts';
import { Person } from '../person.ts';
import { HOST_ACCOUNT, type Stack } from '../stack.ts';
import { expect, test } from '../story.ts';
import { foundIn, spellings } from '../tap.ts';
import { type Watch, watchContext } from '../watch.ts';

/**
 * After every test of every file the wires are searched for what must not be there (story.ts). These tests show that the
 * search would find it: what is readable on the road is found, on each wire, in the spelling in which it crosses.
 */
interface Wires {
  readonly relay: Buffer;
  readonly proxy: Buffer;
  readonly server: Buffer;
}

async function wiresOf(watch: Watch, stack: Stack): Promise<Wires> {
  const server = stack.hostTap.connectionCount > 0 ? [stack.hostTap, stack.gssTap] : [stack.gssTap];
  return {
    relay: await watch.captured(),
    proxy: stack.squidTap.captured(),
    server: Buffer.concat(server.map((tap) => tap.captured())),
  };
}

test('the search finds the user’s name on every wire, and neither password nor command nor output', async ({
  person,
  stack,
  watch,
  secrets,
}) => {
  stack.takeCaptured();
  await person.connect(hostBehindSquid(stack));
  const command = secrets.keep('echo kittiwake-colony-of-1971 | rev');
  const output = secrets.keep('1791-fo-ynoloc-ekawittik');
  await person.run(command);
  await person.seesRow(output);
  const wires = await wiresOf(watch, stack);
  for (const [wire, bytes] of Object.entries(wires)) {
    // NTLM carries the name in UTF-16 inside the base64 of a header, [MS-NLMP] 2.2.1.3.
    expect(foundIn(bytes, HOST_ACCOUNT.user), `user name on the wire to the ${wire}`).toContainEqual(
      expect.stringMatching(/^base64 of UTF-16LE/),
    );
    for (const text of [HOST_ACCOUNT.password, command, output, 'kittiwake-colony']) {
      expect(foundIn(bytes, text), `“${text}” on the wire to the ${wire}`).toEqual([]);
    }
  }
  // What the proxy is asked, and the frames of sealed messages, are readable everywhere.
  expect(foundIn(wires.relay, `CONNECT 127.0.0.1:${stack.hostTap.port}`)).toEqual([]);
  expect(foundIn(wires.proxy, `CONNECT 127.0.0.1:${stack.hostTap.port}`)).toContain('UTF-8');
  for (const bytes of Object.values(wires)) expect(foundIn(bytes, 'multipart/encrypted')).toContain('UTF-8');
  expect(watch.frameBytes).toBeGreaterThan(5_000);
});

test('nothing more is readable in absolute form', async ({ person, stack, watch, secrets }) => {
  stack.takeCaptured();
  await person.connect(gssBehindSquid(stack, { proxy: { port: stack.squidTap.port, kind: 'http-forward' } }));
  const command = secrets.keep('echo storm-petrel-at-dusk | rev');
  const output = secrets.keep('ksud-ta-lertep-mrots');
  await person.run(command);
  await person.seesRow(output);
  const wires = await wiresOf(watch, stack);
  const [, user = ''] = RIG_ACCOUNT.user.split('\\');
  for (const [wire, bytes] of Object.entries(wires)) {
    expect(foundIn(bytes, user), `user name on the wire to the ${wire}`).not.toEqual([]);
    expect(foundIn(bytes, output), `output on the wire to the ${wire}`).toEqual([]);
  }
  expect(foundIn(wires.proxy, `POST http://127.0.0.1:${stack.gssTap.port}/wsman`)).toContain('UTF-8');
});

test('the search finds each spelling of a text wherever it begins', () => {
  const text = 'Grüße an Bord!';
  const [utf8, utf16] = [Buffer.from(text), Buffer.from(text, 'utf16le')];
  for (const before of ['', 'x', 'xy', 'xyz']) {
    for (const bytes of [utf8, utf16]) {
      const wire = Buffer.from(Buffer.concat([Buffer.from(before), bytes, Buffer.from('after')]).toString('base64'));
      expect(foundIn(wire, text)).not.toEqual([]);
    }
  }
  for (const wire of [utf8, utf16, Buffer.from(utf8.toString('hex')), Buffer.from(encodeURIComponent(text))]) {
    expect(foundIn(Buffer.concat([Buffer.from('..'), wire]), text)).not.toEqual([]);
  }
  expect(foundIn(Buffer.from('something else'), text)).toEqual([]);
  expect(new Set(spellings(text).map(({ name }) => name)).size).toBe(spellings(text).length);
});

test('a page that breaks a promise is noticed', async ({ browser, stack }) => {
  const context = await browser.newContext({ baseURL: stack.product.origin });
  const other = await watchContext(context, stack.product.origin);
  const page = await context.newPage();
  await page.goto('/');
  await page.evaluate(async () => {
    console.error('a mistake');
    new WebAssembly.Memory({ initial: 1 });
    const script = document.createElement('script');
    script.textContent = 'window.wasRun = true';
    document.body.append(script);
    setTimeout(() => {
      throw new Error('nobody catches this');
    });
  });
  await expect.poll(() => other.complaints.length).toBeGreaterThan(3);
  await page.goto('http://127.0.0.1:9/elsewhere').catch(() => undefined);
  await expect
    .poll(() => other.complaints.map((words) => words.split(/[:\s]/)[0]))
    .toEqual(expect.arrayContaining(['console', 'WebAssembly.Memory', 'CSP', 'a', 'uncaught']));
  await context.close();
});

test('a worker that breaks a promise is noticed', async ({ browser, stack, signedIn }) => {
  const context = await browser.newContext({ baseURL: stack.product.origin });
  const other = await watchContext(context, stack.product.origin);
  await context.addCookies([...signedIn.cookies]);
  const person = new Person(await context.newPage());
  await person.page.goto('/');
  await person.connect(hostBehindSquid(stack));
  expect(other.complaints).toEqual([]);
  await expect.poll(() => other.sharedWorkers.all.length).toBe(1);
  await other.sharedWorkers.all[0]?.evaluate(`(async () => {
    console.error('a mistake');
    WebAssembly.validate(new Uint8Array());
    await fetch('http://127.0.0.1:9/elsewhere').catch(() => undefined);
  })()`);
  await expect
    .poll(() => other.complaints.join('\n'))
    .toMatch(/a mistake.*WebAssembly.validate was used.*connect-src/s);
  await context.close();
});
