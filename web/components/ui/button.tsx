import type { ComponentProps, ReactNode } from 'react';
import { Icon, type IconName } from './icons.tsx';

const LOOKS = {
  primary: 'bg-accent text-on-accent border-transparent hover:bg-accent-hover',
  quiet: 'bg-surface text-ink border-line-strong hover:border-ink-soft hover:bg-sunken',
  plain: 'bg-transparent text-ink border-transparent hover:bg-sunken',
  danger: 'bg-surface text-bad border-bad hover:bg-bad hover:text-on-bad',
} as const;

/** How a button looks: one `primary` per screen. */
export type ButtonLook = keyof typeof LOOKS;

const BASE =
  'inline-flex items-center justify-center gap-2 rounded-control border font-medium whitespace-nowrap ' +
  'transition-colors duration-[120ms] ease-hand disabled:opacity-50 disabled:cursor-not-allowed';

/** The classes of a button, for a link that must look like one. */
export function buttonClass(look: ButtonLook = 'quiet', className = ''): string {
  return `${BASE} min-h-control px-3 ${LOOKS[look]} ${className}`;
}

/** A button with words, an icon before them if wished. `isBusy` keeps it focusable and says so. */
export function Button({
  look = 'quiet',
  icon,
  isBusy = false,
  className = '',
  children,
  ...rest
}: Omit<ComponentProps<'button'>, 'children'> & {
  look?: ButtonLook;
  icon?: IconName;
  isBusy?: boolean;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      aria-disabled={isBusy || undefined}
      aria-busy={isBusy || undefined}
      className={buttonClass(look, `${isBusy ? 'opacity-60' : ''} ${className}`)}
      {...rest}
      onClick={isBusy ? (event) => event.preventDefault() : rest.onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A square button with an icon; the label is its name and its tooltip. */
export function IconButton({
  label,
  icon,
  look = 'plain',
  className = '',
  ...rest
}: Omit<ComponentProps<'button'>, 'children'> & { label: string; icon: IconName; look?: ButtonLook }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`${BASE} size-control ${LOOKS[look]} ${className}`}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  );
}
