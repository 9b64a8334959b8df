/** Share of its speed a swipe keeps from one frame to the next after the finger is gone. */
const GLIDE = 0.94;

/** Speed below which gliding ends, in CSS pixels per frame. */
const REST_PX = 0.5;

/**
 * Scrolls by swipes: xterm.js 6.0.0 listens to wheels only. Lines follow the finger and glide on when it is gone, unless
 * less motion is wished. A tap stays a tap.
 */
export function scrollByTouch(element: HTMLElement, rowPx: () => number, scrollLines: (lines: number) => void): void {
  let lastY = 0;
  let lastMs = 0;
  let restPx = 0;
  let speed = 0;
  let frame = 0;
  const move = (px: number) => {
    const row = rowPx();
    if (row === 0) return;
    restPx += px;
    const lines = Math.trunc(restPx / row);
    restPx -= lines * row;
    if (lines !== 0) scrollLines(lines);
  };
  const glide = () => {
    speed *= GLIDE;
    move(speed);
    if (Math.abs(speed) > REST_PX) frame = requestAnimationFrame(glide);
  };
  element.addEventListener(
    'touchstart',
    (event) => {
      cancelAnimationFrame(frame);
      lastY = event.touches[0]?.clientY ?? 0;
      lastMs = event.timeStamp;
      restPx = 0;
      speed = 0;
    },
    { passive: true },
  );
  element.addEventListener(
    'touchmove',
    (event) => {
      const touch = event.touches[0];
      if (touch === undefined || event.touches.length > 1) return;
      event.preventDefault();
      const px = lastY - touch.clientY;
      speed = (px / Math.max(1, event.timeStamp - lastMs)) * 16;
      lastY = touch.clientY;
      lastMs = event.timeStamp;
      move(px);
    },
    { passive: false },
  );
  element.addEventListener(
    'touchend',
    (event) => {
      const isStill = event.timeStamp - lastMs > 80 || matchMedia('(prefers-reduced-motion: reduce)').matches;
      if (!isStill && Math.abs(speed) > REST_PX) frame = requestAnimationFrame(glide);
    },
    { passive: true },
  );
}
