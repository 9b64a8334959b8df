import { useEffect, useMemo, useState } from 'react';
import { usePreferences } from '@/components/use-preferences.ts';
import type { PaintedTheme } from '@/lib/preferences.ts';
import { type Palette, paletteFor } from '../screen/palette.ts';
import type { ScreenLook } from '../screen/screen.ts';

/** How output looks now: what was chosen, on the theme that is painted. */
export function useLook(): ScreenLook & { readonly colours: Palette } {
  const { palette, terminalPx } = usePreferences();
  const theme = usePaintedTheme();
  return useMemo(
    () => ({ palette, theme, fontPx: terminalPx, colours: paletteFor(palette, theme) }),
    [palette, theme, terminalPx],
  );
}

/** The theme on the page; whoever paints it writes it on the root element. */
function usePaintedTheme(): PaintedTheme {
  const [theme, setTheme] = useState<PaintedTheme>('light');
  useEffect(() => {
    const root = document.documentElement;
    const read = () => {
      const painted = root.dataset['theme'];
      setTheme(painted === 'dark' || painted === 'contrast' ? painted : 'light');
    };
    read();
    const watcher = new MutationObserver(read);
    watcher.observe(root, { attributes: true, attributeFilter: ['data-theme'] });
    return () => watcher.disconnect();
  }, []);
  return theme;
}
