'use client';

import { useRouter } from 'next/navigation';
import type { ComponentProps } from 'react';

/** A link inside the app: an ordinary anchor that keeps the tab, and with it the open sessions, alive. */
export function Go({ href, onClick, ...rest }: ComponentProps<'a'> & { href: string }) {
  const router = useRouter();
  return (
    <a
      href={href}
      {...rest}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        router.push(href);
      }}
    />
  );
}
