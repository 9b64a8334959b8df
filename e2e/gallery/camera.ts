import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright';

/** Where the pictures go; never committed. */
const PICTURES = fileURLToPath(new URL('pictures', import.meta.url));

const THEMES = ['light', 'dark'] as const;
const WIDTHS = [1280, 360] as const;
const HEIGHT = 800;

/** Takes each state in every theme and at every width, and lays all of it on one sheet. */
export class Camera {
  readonly #taken: { readonly name: string; readonly about: string }[] = [];

  constructor() {
    rmSync(PICTURES, { recursive: true, force: true });
    mkdirSync(PICTURES, { recursive: true });
  }

  /** Pictures of what the page shows now. */
  async take(page: Page, name: string, about: string): Promise<void> {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT });
      for (const theme of THEMES) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null))));
        // The terminal fits itself to its new size a frame later.
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        await page.screenshot({ path: join(PICTURES, fileName(name, theme, width)) });
      }
    }
    await page.setViewportSize({ width: WIDTHS[0], height: HEIGHT });
    this.#taken.push({ name, about });
    console.log(name);
  }

  /** Writes the contact sheet; returns its path. */
  writeSheet(): string {
    const sheet = join(PICTURES, 'index.html');
    const sections = this.#taken.map(({ name, about }) => {
      const pictures = WIDTHS.flatMap((width) =>
        THEMES.map((theme) => {
          const file = fileName(name, theme, width);
          return `<a href="${file}"><img loading="lazy" src="${file}" alt="${about}, ${theme}, ${width} pixels wide"></a>`;
        }),
      );
      return `<section><h2>${name}</h2><p>${about}</p><div>${pictures.join('')}</div></section>`;
    });
    writeFileSync(sheet, `${HEAD}${sections.join('\n')}\n`);
    return sheet;
  }

  /** How many states there are pictures of. */
  get count(): number {
    return this.#taken.length;
  }
}

function fileName(name: string, theme: string, width: number): string {
  return `${name}-${theme}-${width}.png`;
}

const HEAD = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Fairlead, every screen</title>
<style>body{font:14px/1.5 system-ui;margin:2rem;background:#eee}div{display:flex;gap:12px;align-items:flex-start;overflow-x:auto}
img{height:360px;border:1px solid #999}h2{margin:2rem 0 0}p{margin:0 0 .5rem}</style><h1>Fairlead, every screen</h1>
`;
