const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** "5 minutes ago" in a language, or "" for a time that never was. Under a minute counts as now. */
export function ago(thenMs: number, nowMs: number, locale = 'en'): string {
  if (thenMs <= 0) return '';
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  for (const [unit, size] of STEPS) {
    if (nowMs - thenMs >= size) return format.format(-Math.floor((nowMs - thenMs) / size), unit);
  }
  return format.format(0, 'second');
}
