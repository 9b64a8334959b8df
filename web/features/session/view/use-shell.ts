import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import type { Block } from '../block-log.ts';
import type { LiveShell, ShellView } from '../live-shell.ts';
import type { Screen } from '../screen/screen.ts';

/** What a person sees of a shell now. */
export function useShellView(shell: LiveShell): ShellView {
  const watch = useCallback((listener: () => void) => shell.watch(listener), [shell]);
  return useSyncExternalStore(
    watch,
    () => shell.view,
    () => shell.view,
  );
}

/** The blocks of a shell, at most a few times a second: a listing of megabytes must not redraw a list per piece. */
export function useBlocks(shell: LiveShell): readonly Block[] {
  const [blocks, setBlocks] = useState(shell.blocks.blocks);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const show = () => {
      timer = null;
      setBlocks(shell.blocks.blocks);
    };
    show();
    const stop = shell.blocks.watch(() => {
      timer ??= setTimeout(show, 200);
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [shell]);
  return blocks;
}

/** Rows in use and their height, as one string that changes when either does. */
export function useScreenSize(screen: Screen): { usedRows: number; rowPx: number } {
  const watch = useCallback((listener: () => void) => screen.watch(listener), [screen]);
  const key = useSyncExternalStore(
    watch,
    () => `${screen.usedRows} ${screen.rowPx}`,
    () => '0 0',
  );
  const [usedRows = 0, rowPx = 0] = key.split(' ').map(Number);
  return { usedRows, rowPx };
}

/** Seconds since a moment on the page's clock, whole, counted while there is such a moment. */
export function useSecondsSince(sinceMs: number | null): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (sinceMs === null) return;
    const count = () => setSeconds(Math.floor((performance.now() - sinceMs) / 1000));
    count();
    const timer = setInterval(count, 250);
    return () => clearInterval(timer);
  }, [sinceMs]);
  return sinceMs === null ? 0 : seconds;
}
