/** Order in which F6 goes through the page. */
const ORDER = ['tabs', 'find', 'output', 'input'] as const;

/** Moves the focus to the next or previous region of the page that is there. */
export function moveRegion(root: HTMLElement, direction: 1 | -1): void {
  const regions = ORDER.flatMap((name) => {
    const region = root.querySelector<HTMLElement>(`[data-region="${name}"]`);
    return region === null ? [] : [region];
  });
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(at + direction + regions.length) % regions.length];
  if (next === undefined) return;
  const inside = next.querySelector<HTMLElement>('[aria-current="page"], input, textarea, button:not([tabindex="-1"])');
  if (next.tabIndex >= 0 || inside === null) next.focus();
  else inside.focus();
}

/** Scrolls to and focuses the command before or after the one in focus, in the command view. */
export function moveCommand(root: HTMLElement, direction: 'older' | 'newer'): boolean {
  const articles = [...root.querySelectorAll<HTMLElement>('[data-command]')];
  if (articles.length === 0) return false;
  const at = articles.findIndex((article) => article.contains(document.activeElement));
  const next = at === -1 ? articles.length - 1 : at + (direction === 'older' ? -1 : 1);
  const article = articles[Math.max(0, Math.min(articles.length - 1, next))];
  article?.focus();
  article?.scrollIntoView({ block: 'nearest' });
  return true;
}
