import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from 'playwright/test';

const THEMES = [
  { name: 'light', media: { colorScheme: 'light', contrast: 'no-preference' } },
  { name: 'dark', media: { colorScheme: 'dark', contrast: 'no-preference' } },
  { name: 'high contrast', media: { colorScheme: 'dark', contrast: 'more' } },
] as const;
const WIDTHS = [1280, 360] as const;

/** Looks at what a page shows in every theme and at every width: axe finds nothing, and nothing sticks out sideways. */
export async function looksRight(page: Page): Promise<void> {
  const wrong: string[] = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    for (const { name, media } of THEMES) {
      await page.emulateMedia({ ...media, reducedMotion: 'reduce' });
      await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null))));
      const axe = new AxeBuilder({ page }).setLegacyMode(true);
      // A theme changes colours and nothing else, so what axe knows beside colours is asked once for each width.
      const { violations } = await (name === 'light'
        ? axe
        : axe.withRules(['color-contrast', 'link-in-text-block'])
      ).analyze();
      const where = `${name}, ${width} px`;
      for (const { id, nodes } of violations) {
        for (const { target, failureSummary } of nodes)
          wrong.push(`${where}: ${id}: ${target.join(' ')} ${failureSummary}`);
      }
      wrong.push(...(await sticksOut(page)).map((what) => `${where}: sticks out: ${what}`));
    }
  }
  expect(wrong).toEqual([]);
}

/** What makes the page, or a dialog on it, scroll sideways. */
export function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const boxes = [document.documentElement, ...document.querySelectorAll('dialog, dialog > *, main')];
    return boxes
      .filter((box) => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== 'hidden')
      .map((box) => `${box.tagName}.${box.className} ${box.scrollWidth} > ${box.clientWidth}`);
  });
}
