/**
 * `npm run gallery`: pictures of every screen and state of the real product, in two themes and at two widths, on one
 * contact sheet. To be looked at by whoever changed how something looks. Words after the command choose scenes by name.
 */
import { chromium } from 'playwright';
import { Person } from '../person.ts';
import { CHROMIUM, CHROMIUM_ARGS } from '../playwright.config.ts';
import { startStack } from '../stack.ts';
import { Camera } from './camera.ts';
import { SCENES } from './scenes.ts';

const wanted = process.argv.slice(2);
const stack = await startStack();
const browser = await chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: false, args: CHROMIUM_ARGS });
let failedCount = 0;
try {
  const camera = new Camera();
  const entrance = await browser.newContext({ baseURL: stack.product.origin });
  await new Person(await entrance.newPage()).signIn(await stack.product.takeCode());
  const { cookies } = await entrance.storageState();
  await entrance.close();
  for (const [name, scene] of Object.entries(SCENES)) {
    if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
    const context = await browser.newContext({
      baseURL: stack.product.origin,
      locale: 'en-US',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    if (scene.isStranger !== true) await context.addCookies(cookies);
    const page = await context.newPage();
    try {
      await page.goto('/');
      await scene.play(new Person(page), stack, (state, about) => camera.take(page, `${name}-${state}`, about));
    } catch (error) {
      failedCount += 1;
      console.error(`${name} broke:`, error);
    }
    await context.close();
    stack.host.closeShells();
    stack.takeCaptured();
  }
  console.log(`${camera.count} states: ${camera.writeSheet()}`);
} finally {
  await browser.close();
  await stack.stop();
}
process.exitCode = failedCount === 0 ? 0 : 1;
