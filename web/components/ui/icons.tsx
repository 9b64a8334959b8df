/** Every icon, drawn on a 16-unit grid with a 1.5-unit line in the colour of the text around it. */
const PATHS = {
  lock: 'M4 7.25h8v6H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  'lock-open': 'M4 7.25h8v6H4zM5.5 7V4.5a2.5 2.5 0 0 1 4.8-1',
  check: 'm3 8.5 3.25 3.25L13 5',
  cross: 'm4 4 8 8m0-8-8 8',
  warning: 'M8 2.25 14.5 13.5h-13zM8 6.5v3.25m0 1.7v.1',
  circle: 'M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3z',
  note: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 5.25V11m0-6v.1',
  server: 'M2.5 3h11v4h-11zm0 6h11v4h-11zM5 5v.1M5 11v.1',
  terminal: 'M2 3h12v10H2zM4.5 6l2 2-2 2M8 10h3.5',
  route: 'M4 11.5a1.5 1.5 0 1 0 0 .1zm11-7a1.5 1.5 0 1 0 0 .1zM4 11.5h5a3 3 0 0 0 0-6H7a0 0 0 0 1 0-1h5',
  play: 'M5 3.25v9.5L12.5 8z',
  plus: 'M8 3v10M3 8h10',
  more: 'M2.75 8h.75M7.6 8h.8m4.1 0h.75',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zm3.25 7.75 3.5 3.5',
  copy: 'M5.5 5.5h8v8h-8zm0 5h-3v-8h8v3',
  eye: 'M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6.25a1.75 1.75 0 1 0 0 3.5 1.75 1.75 0 0 0 0-3.5z',
  gear: 'M2 4.5h6m4 0h2M2 11.5h2m4 0h6M10 2.75v3.5m-4 3.5v3.5',
  keyboard: 'M1.5 4h13v8h-13zM4 6.5v.1m2.7-.1v.1m2.6-.1v.1m2.7-.1v.1M5 9.5h6',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.5v1m0 11v1m6.5-6.5h-1m-11 0h-1m11.1-4.6-.7.7m-7.8 7.8-.7.7m9.2 0-.7-.7M4.1 4.1l-.7-.7',
  moon: 'M13.25 9.75A5.75 5.75 0 1 1 6.25 2.75a4.6 4.6 0 0 0 7 7z',
  half: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 0v12m1-11.8v11.6m1.5-11v10.4M12 4v8',
  trash: 'M2.5 4.5h11M6 4.25V2.5h4v1.75M4 4.5l.6 9h6.8l.6-9',
  star: 'm8 2 1.8 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4l-3.7 2.1.8-4.2L2 6.4l4.2-.5z',
  down: 'm4 6 4 4 4-4',
  right: 'm6 4 4 4-4 4',
  key: 'M5.5 6.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zm2.2.9L13.5 2m-2.2 2 1.9 2',
  reload: 'M13 3v3.5H9.5M12.9 6.5A5.25 5.25 0 1 0 13.25 9',
  leave: 'M9.5 3h-6v10h6M7 8h7.5m-2.75-3L14.5 8l-2.75 3',
  up: 'm4 10 4-4 4 4',
  left: 'm10 4-4 4 4 4',
  stop: 'M4 4h8v8H4z',
  list: 'M6 4h7.5M6 8h7.5M6 12h7.5M2.75 4v.1m0 3.9v.1m0 3.9v.1',
  save: 'M8 2.5v7.5m-3.25-3L8 10.25 11.25 7M2.5 11v2.5h11V11',
} as const;

/** Names of the icons there are. */
export type IconName = keyof typeof PATHS;

/** An icon. It says nothing to a screen reader: words stand beside it or label the button around it. */
export function Icon({ name, className = '' }: { name: IconName; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      className={`size-4 shrink-0 ${className}`}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a ring, and one line that runs through it. */
export function Mark({ className = 'size-6' }: { className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" fill="none" className={`shrink-0 ${className}`}>
      <path d="M12 5.5a6.5 6.5 0 0 1 0 13" stroke="currentColor" strokeWidth="2.25" />
      <path
        d="M1.5 16.5c4.5 0 6-4.5 10.5-4.5s6-4.5 10.5-4.5"
        className="stroke-accent"
        strokeWidth="2.25"
        strokeLinecap="round"
      />
      <path d="M12 18.5a6.5 6.5 0 0 1 0-13" stroke="currentColor" strokeWidth="2.25" />
    </svg>
  );
}
