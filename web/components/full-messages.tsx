'use client';

import { NextIntlClientProvider, useLocale } from 'next-intl';
import { type ReactNode, use } from 'react';

const load: Record<string, () => Promise<{ default: Record<string, unknown> }>> = {
  en: () => import('@/messages/en.json'),
};
const loaded = new Map<string, Promise<{ default: Record<string, unknown> }>>();

/**
 * Every sentence there is, for what opens later than the first screen. The first screen gets only its own sections, so
 * that nobody waits for words of a dialog not yet opened. Put it under a Suspense boundary.
 */
export function FullMessages({ children }: { children: ReactNode }) {
  const locale = useLocale();
  let promise = loaded.get(locale);
  if (promise === undefined) {
    promise = (load[locale] ?? load['en'])?.() ?? Promise.reject(new Error('no messages'));
    loaded.set(locale, promise);
  }
  const messages = use(promise).default;
  return (
    <NextIntlClientProvider locale={locale} messages={messages as never} timeZone="UTC">
      {children}
    </NextIntlClientProvider>
  );
}
