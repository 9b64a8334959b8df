'use client';

import { useTranslations } from 'next-intl';
import { Go } from '@/components/go.tsx';
import { buttonClass } from '@/components/ui/button.tsx';
import { Frame } from '@/features/frame/frame.tsx';

/** An address that leads nowhere, with the way back. */
export default function NotFound() {
  const t = useTranslations('notFound');
  return (
    <Frame>
      <div className="mx-auto max-w-md py-16">
        <h1 className="text-xl font-semibold">{t('title')}</h1>
        <p className="mt-2 mb-6 text-ink-soft">{t('text')}</p>
        <Go href="/" className={buttonClass('primary')}>
          {t('action')}
        </Go>
      </div>
    </Frame>
  );
}
