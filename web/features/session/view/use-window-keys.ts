import { useEffect, useRef } from 'react';

/**
 * Hears every key that nobody on the page has taken, also when nothing has the focus. Keys of an IME that composes and
 * keys while a dialog is open are left alone.
 */
export function useWindowKeys(act: (event: KeyboardEvent) => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.isComposing || event.defaultPrevented || document.querySelector('dialog[open]') !== null) return;
      latest.current(event);
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
}
