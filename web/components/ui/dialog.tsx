'use client';

import { useTranslations } from 'next-intl';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { IconButton } from './button.tsx';

const WIDTHS = { small: 'max-w-md', medium: 'max-w-xl', large: 'max-w-3xl' } as const;

/**
 * A modal dialog over the browser's own: it traps focus, gives it back where it came from, and closes with Escape and
 * with its button, but not with a press beside it, which would lose what was typed. Focus begins at the element marked
 * `data-first`, else at the title. Mount it to open it.
 */
export function Dialog({
  title,
  size = 'medium',
  isProduction = false,
  isStop = false,
  footer,
  onClose,
  children,
}: {
  title: ReactNode;
  size?: keyof typeof WIDTHS;
  /** A bar in the colour kept for production. */
  isProduction?: boolean;
  /** Everything stops here: a red head, the one place beside production that has it. */
  isStop?: boolean;
  footer?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}) {
  const t = useTranslations('common');
  const titleId = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    const before = document.activeElement;
    if (!element.open) element.showModal();
    // The browser would focus the close button: a key still held down from before must not close what just opened.
    (element.querySelector<HTMLElement>('[data-first]') ?? heading.current)?.focus();
    return () => {
      element.close();
      giveFocusBack(before);
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      className={`opens max-h-[calc(100dvh-2rem)] w-[calc(100vw-1.5rem)] flex-col overflow-hidden rounded-card border border-line-strong bg-surface text-ink open:flex ${WIDTHS[size]}`}
    >
      {isProduction && <div className="h-1 shrink-0 bg-bad" />}
      <div
        className={`flex shrink-0 items-center justify-between gap-2 border-b py-2 pr-2 pl-5 ${isStop ? 'border-bad bg-bad text-on-bad' : 'border-line'}`}
      >
        <h2 ref={heading} id={titleId} tabIndex={-1} className="outline-none text-lg leading-tight font-semibold">
          {title}
        </h2>
        <IconButton label={t('close')} icon="cross" className={isStop ? 'text-on-bad!' : ''} onClick={onClose} />
      </div>
      <div className="min-h-0 grow overflow-y-auto px-5 py-4">{children}</div>
      {footer && (
        <div className="flex shrink-0 flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">
          {footer}
        </div>
      )}
    </dialog>
  );
}

/**
 * Focus goes back where it came from. When that is gone, as after a dialog that opened another session, it goes to the
 * page's input, which may have come while the dialog kept it from taking focus.
 */
function giveFocusBack(before: Element | null): void {
  const isThere = before instanceof HTMLElement && before !== document.body && before.isConnected;
  const place = isThere ? before : document.querySelector<HTMLElement>('[data-region="input"]');
  place?.focus();
}
