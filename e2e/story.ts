/** The `test` of every spec: a product per worker, a watched browser per test, and a search for secrets after each. */
import { test as base, expect } from 'playwright/test';
import { RIG_ACCOUNT } from './peers/peers.ts';
import { Person } from './person.ts';
import { HOST_ACCOUNT, type Stack, startStack } from './stack.ts';
import { foundIn } from './tap.ts';
import { type Watch, watchContext } from './watch.ts';

/** Words that must not be found on any wire. */
export interface Secrets {
  /** Names a text that only this test types or reads, and returns it. */
  keep(text: string): string;
}

interface ForTest {
  readonly watch: Watch;
  readonly secrets: Secrets;
  /** Somebody whose browser has never been here. */
  readonly newcomer: Person;
  /** Somebody who is signed in and stands at home. */
  readonly person: Person;
}

interface ForWorker {
  /** Settings of the product beside the stack's own. */
  readonly settings: Readonly<Record<string, string>>;
  readonly stack: Stack;
  /** What a signed-in browser keeps. */
  readonly signedIn: { readonly cookies: Parameters<import('playwright/test').BrowserContext['addCookies']>[0] };
}

/** `test` with everything above at hand; what no page may do and what no wire may carry is checked after each. */
export const test = base.extend<ForTest, ForWorker>({
  settings: [{}, { scope: 'worker', option: true }],
  stack: [
    async ({ settings }, use) => {
      const stack = await startStack(settings);
      await use(stack);
      await stack.stop();
    },
    { scope: 'worker', timeout: 240_000 },
  ],
  signedIn: [
    async ({ stack, browser }, use) => {
      const context = await browser.newContext({ baseURL: stack.product.origin });
      await new Person(await context.newPage()).signIn(await stack.product.takeCode());
      const { cookies } = await context.storageState();
      await context.close();
      stack.takeCaptured();
      await use({ cookies });
    },
    { scope: 'worker' },
  ],
  baseURL: ({ stack }, use) => use(stack.product.origin),
  watch: [
    async ({ context, stack }, use) => {
      const watch = await watchContext(context, stack.product.origin);
      await use(watch);
      expect(watch.complaints, 'what no page may do').toEqual([]);
    },
    { auto: true },
  ],
  secrets: [
    async ({ watch, stack, context }, use) => {
      const kept = new Set<string>([HOST_ACCOUNT.password, RIG_ACCOUNT.password]);
      await use({
        keep(text) {
          kept.add(text);
          return text;
        },
      });
      for (const page of context.pages()) await page.close();
      const places = {
        'between tab and relay': await watch.captured(),
        'on the wires beyond the relay': stack.takeCaptured(),
        'in what the product printed and stored': stack.product.traces(),
      };
      const leaks = [...kept].flatMap((text) =>
        Object.entries(places).flatMap(([place, bytes]) =>
          foundIn(bytes, text).map((spelling) => `“${text}” is readable ${place} as ${spelling}`),
        ),
      );
      stack.host.closeShells();
      expect(leaks).toEqual([]);
    },
    { auto: true },
  ],
  newcomer: async ({ page }, use) => use(new Person(page)),
  person: async ({ page, context, signedIn }, use) => {
    await context.addCookies([...signedIn.cookies]);
    await page.goto('/');
    await use(new Person(page));
  },
});

export { expect };
