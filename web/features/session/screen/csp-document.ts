/**
 * Lets xterm.js live under `style-src 'self'`. It writes three style elements and, for colours that had to be adjusted,
 * `style` attributes; a strict policy refuses both. Rules go into constructed style sheets and attributes through CSSOM
 * instead, which the policy allows because no text of a page can reach either. Content Security Policy Level 3 8.3.
 */

/** A document for xterm's `documentOverride`, and the scope in which the page's own document behaves alike. */
export interface CspDocument {
  readonly document: Document;
  /** Runs `open` while `document.createElement` is ours: xterm's scrollbar asks the page's document, not the given one. */
  during(open: () => void): void;
}

/** Makes one; each terminal has its own. */
export function cspDocument(page: Document): CspDocument {
  const create = page.createElement.bind(page);
  const createElement = (tag: string, options?: ElementCreationOptions): HTMLElement => {
    return tag === 'style' ? styleHolder(page, create('fairlead-style')) : create(tag, options);
  };
  styleSpansThroughCssom();
  const override = new Proxy(page, {
    get(target, name) {
      if (name === 'createElement') return createElement;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return {
    document: override,
    during(open) {
      Object.defineProperty(page, 'createElement', { value: createElement, configurable: true });
      try {
        open();
      } finally {
        Reflect.deleteProperty(page, 'createElement');
      }
    },
  };
}

/** An element that stands where a style element would; its text becomes a constructed sheet, and leaves with it. */
function styleHolder(page: Document, holder: HTMLElement): HTMLElement {
  const sheet = new CSSStyleSheet();
  const text = { get: () => '', set: (rules: string) => sheet.replaceSync(rules), configurable: true };
  Object.defineProperty(holder, 'textContent', text);
  Object.defineProperty(holder, 'innerText', text);
  holder.hidden = true;
  const remove = holder.remove.bind(holder);
  holder.remove = () => {
    page.adoptedStyleSheets = page.adoptedStyleSheets.filter((one) => one !== sheet);
    remove();
  };
  page.adoptedStyleSheets = [...page.adoptedStyleSheets, sheet];
  return holder;
}

/**
 * QUIRK: xterm.js 6.0.0 makes the cells of a row with the page's own document, whatever document it was given, and writes
 * adjusted and 24-bit colours into their `style` attribute. Spans take such an attribute through CSSOM from here on; the
 * result is the same, and nothing else on the page writes one.
 */
function styleSpansThroughCssom(): void {
  HTMLSpanElement.prototype.setAttribute = function (this: HTMLSpanElement, name: string, value: string) {
    if (name === 'style') this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}
