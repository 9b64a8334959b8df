'use client';

import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Screen, ScreenLook } from '../screen/screen.ts';
import { useScreenSize } from './use-shell.ts';

/** Space above the first row, in CSS pixels; `screen.css` has the same. */
const TOP_PX = 8;

/**
 * The output, and under its last row what is handed in: the input line stands where a terminal would have its cursor,
 * until the page is full and it rests at the bottom.
 */
export function OutputPane({
  screen,
  look,
  label,
  hint,
  children,
}: {
  screen: Screen;
  look: ScreenLook;
  label: string;
  /** How to use the region with the keyboard, for screen readers. */
  hint: string;
  children: ReactNode;
}) {
  const pane = useRef<HTMLDivElement>(null);
  const under = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const [roomPx, setRoomPx] = useState(0);
  const { usedRows, rowPx } = useScreenSize(screen);
  useLayoutEffect(() => {
    const measure = () => setRoomPx((pane.current?.clientHeight ?? 0) - (under.current?.offsetHeight ?? 0));
    const watcher = new ResizeObserver(measure);
    if (pane.current) watcher.observe(pane.current);
    if (under.current) watcher.observe(under.current);
    measure();
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    const place = host.current;
    if (place === null) return;
    screen.setLook(look, { label, hint });
    place.append(screen.element);
    const fit = () => screen.shown();
    const watcher = new ResizeObserver(fit);
    watcher.observe(place);
    // The measure of a row is right only with the face that is drawn.
    void document.fonts.load(`${look.fontPx}px "JetBrains Mono"`).then(fit);
    return () => {
      watcher.disconnect();
      screen.element.remove();
    };
  }, [screen, look, label, hint]);
  const usedPx = usedRows === 0 ? TOP_PX : Math.min(roomPx, usedRows * rowPx + TOP_PX);
  return (
    <div ref={pane} className="relative flex min-h-0 grow flex-col overflow-hidden">
      <section
        aria-label={label}
        data-region="output"
        className="shrink-0 overflow-hidden -outline-offset-2 has-[textarea:focus-visible]:outline-2 has-[textarea:focus-visible]:outline-accent"
        style={{ height: usedPx }}
      >
        <div ref={host} style={{ height: roomPx }} />
      </section>
      <div ref={under} className="shrink-0">
        {children}
      </div>
    </div>
  );
}
