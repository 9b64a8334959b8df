'use client';

import type { CertificateEvidence, WinRmError } from '@fairlead/protocol';
import { useTranslations } from 'next-intl';
import { lazy, Suspense } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { isCertificateChange } from '@/features/trust/certificate-change.ts';
import { errorText } from '@/lib/error-text.ts';

const CertificateFacts = lazy(async () => ({
  default: (await import('@/features/trust/certificate-facts.tsx')).CertificateFacts,
}));
const ChangedCertificate = lazy(() => import('@/features/trust/changed-certificate.tsx'));

/**
 * An error as a person can use it: what happened, what the peer said in its own words, what to do, and one action.
 * Needs the full messages around it (components/full-messages.tsx).
 */
export function ErrorBlock({
  error,
  onAct,
  actionLabel,
  hint,
}: {
  error: WinRmError;
  onAct?: (error: WinRmError) => void;
  /** Words for the action where the screen knows better than the error what pressing it does. */
  actionLabel?: string | undefined;
  /** What to do, where the screen knows better. */
  hint?: string | undefined;
}) {
  const t = useTranslations();
  const text = errorText(error);
  const evidence = certificateOf(error);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text.report);
      showToast(t('common.copied'), 'good');
    } catch {
      showToast(t('common.notCopied'), 'warn');
    }
  };
  if (isCertificateChange(error)) {
    return (
      <div className="arrives mt-2 rounded-card border-2 border-bad bg-surface p-4">
        <Suspense fallback={null}>
          <ChangedCertificate error={error} />
        </Suspense>
      </div>
    );
  }
  const told = [...text.heads, ...(text.heads.length > 0 && text.evidence ? ['', text.evidence] : [text.evidence])]
    .join('\n')
    .trim();
  const isForAdmin = text.recovery === 'ask-admin';
  return (
    <div role="alert" className="arrives mt-2 rounded-card border border-line bg-ground p-4">
      <p className="max-w-[72ch] border-l-2 border-bad pl-3 text-ink">{t(text.messageKey, text.values)}</p>
      {text.because && <p className="mt-2 max-w-[72ch]">{t(text.because.messageKey, text.because.values)}</p>}
      {told !== '' && (
        <figure className="mt-3">
          <figcaption className="text-sm text-ink-soft">{t('failure.evidence')}</figcaption>
          <pre lang="" className="mt-1 rounded-control bg-sunken p-2 font-mono text-xs break-words whitespace-pre-wrap">
            {told}
          </pre>
        </figure>
      )}
      {text.meaningKey && <p className="mt-3 max-w-[72ch]">{t(text.meaningKey)}</p>}
      {evidence && (
        <div className="mt-3 border-t border-line pt-3">
          <Suspense fallback={null}>
            <CertificateFacts evidence={evidence} />
          </Suspense>
        </div>
      )}
      <p className="mt-3 max-w-[72ch] text-ink-soft">{hint ?? t(text.hintKey, text.values)}</p>
      <div className="mt-4 flex flex-wrap items-center gap-2">
        {isForAdmin ? (
          <Button look="primary" icon="copy" onClick={() => void copy()}>
            {t('recovery.ask-admin')}
          </Button>
        ) : (
          text.actionKey &&
          onAct && (
            <Button look="primary" onClick={() => onAct(error)}>
              {actionLabel ?? t(text.actionKey)}
            </Button>
          )
        )}
        {!isForAdmin && (
          <Button look="plain" icon="copy" onClick={() => void copy()}>
            {t('failure.copy')}
          </Button>
        )}
        <code className="ml-auto font-mono text-xs text-ink-soft">{text.code}</code>
      </div>
    </div>
  );
}

/** The certificate an error is about, if it is about one. */
function certificateOf({ details }: WinRmError): CertificateEvidence | null {
  return 'subject' in details && 'sha1' in details ? details : null;
}
