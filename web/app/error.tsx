'use client';

import { useTranslations } from 'next-intl';
import { Button } from '@/components/ui/button.tsx';

/** A fault of our own on a screen: what happened, what is safe, and one thing to press. */
export default function Crash({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const t = useTranslations('crash');
  return (
    <main className="mx-auto max-w-lg px-4 py-16">
      <h1 className="text-xl font-semibold">{t('title')}</h1>
      <p className="mt-2 mb-4 text-ink-soft">{t('text')}</p>
      <pre className="mb-6 break-words whitespace-pre-wrap rounded-control border border-line bg-sunken p-3 font-mono text-sm">
        {error.name}: {error.message}
      </pre>
      <Button look="primary" icon="reload" onClick={reset}>
        {t('action')}
      </Button>
    </main>
  );
}
