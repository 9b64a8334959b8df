'use client';

import type { WinRmError } from '@fairlead/protocol';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { HopLine } from '@/components/hop-line.tsx';
import { Button } from '@/components/ui/button.tsx';
import { Note } from '@/components/ui/card.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { ErrorBlock } from '@/features/failure/error-block.tsx';
import { openWindow } from '@/features/frame/windows.ts';
import { isOutage } from '@/features/session/outage.ts';
import { cancel, closeSession, retry, useSession } from '@/features/session/session-registry.ts';
import { isCertificateChange } from '@/features/trust/certificate-change.ts';
import { FirstContact } from '@/features/trust/first-contact.tsx';
import { refreshStanding, signOut } from '@/lib/relay-status.ts';
import { type ProxyQuestion, proxyQuestion, QUESTION_ACTIONS } from './proxy-question.ts';
import { StepList } from './step-list.tsx';

const ChangedCertificate = lazy(() => import('@/features/trust/changed-certificate.tsx'));

/** The way to a prompt, step by step with times; a step that fails opens in place. */
export function ConnectProgress({
  sessionId,
  password,
  isProduction,
  onReady,
  onBack,
  onHttps,
}: {
  sessionId: string;
  password: string;
  isProduction: boolean;
  onReady: () => void;
  /** Back to the form, at the field that should change, or null; or where a proxy's question is answered. */
  onBack: (field: string | null, asked?: ProxyQuestion | null) => void;
  /** For the demo, where a proxy asks who we are and there is an https way for it: goes that way at once. */
  onHttps?: (() => void) | undefined;
}) {
  const tAll = useTranslations();
  const t = useTranslations('progress');
  const tDemo = useTranslations('demo');
  const tTrust = useTranslations('trust.changed');
  const tRecovery = useTranslations('recovery');
  const router = useRouter();
  const entry = useSession(sessionId);
  const isLeaving = useRef(false);
  const at = entry?.state.at;
  const isReady = at === 'ready' || at === 'ended';
  useEffect(() => {
    if (!isReady || isLeaving.current) return;
    isLeaving.current = true;
    onReady();
    router.push(`/session/#${sessionId}`);
    openWindow(null);
  }, [isReady, onReady, router, sessionId]);
  if (entry === null) return null;

  const error = entry.state.at === 'lost' || entry.state.at === 'closed' ? entry.state.error : null;
  const isChange = isCertificateChange(error);
  const isStaleDemo = entry.request.isDemo && error?.recovery === 'new-credential';
  const question = entry.request.isDemo ? null : proxyQuestion(error);
  const wayOut = entry.request.isDemo && error?.code === 'proxy.needs-https' ? (onHttps ?? null) : null;
  const drop = (field: string | null, asked: ProxyQuestion | null = null) => {
    void closeSession(sessionId);
    onBack(field, asked);
  };
  const stop = () => {
    cancel(sessionId);
    drop(null);
  };
  const review = () => {
    void closeSession(sessionId);
    openWindow({ kind: 'settings', part: 'certificates' });
  };
  const act = (failed: WinRmError) => {
    const recovery = isOutage(entry, failed) ? 'retry' : failed.recovery;
    if (isStaleDemo) {
      drop(null);
      void signOut();
    } else if (wayOut !== null) {
      void closeSession(sessionId);
      wayOut();
    } else if (question !== null) drop(null, question);
    else if (recovery === 'new-credential') drop('password');
    else if (recovery === 'change-route') drop('route');
    else if (recovery === 'sign-in') {
      drop(null);
      openWindow(null);
      void refreshStanding();
      router.push('/');
    } else if (recovery === 'review-trust' && failed.code !== 'tls.untrusted') review();
    else retry(sessionId, password);
  };
  const isRefused = error?.code === 'tls.untrusted';
  const tProxy = wayOut ? tDemo('maze.wayOut.https') : question && tAll(QUESTION_ACTIONS[question.place]);
  const again = error && isOutage(entry, error) ? tRecovery('retry') : undefined;
  const label = isStaleDemo ? tDemo('signInAgain') : isRefused ? tRecovery('look-again') : (tProxy ?? again);
  const failure = error && (
    <>
      {isStaleDemo && <Note className="mt-2">{tDemo('changed')}</Note>}
      <ErrorBlock error={error} onAct={act} actionLabel={label} />
    </>
  );
  if (entry.state.at === 'judging') return <FirstContact entry={entry} />;
  if (isChange) {
    return (
      <Dialog
        key="stop" // a dialog of its own: the focus begins anew
        isStop
        size="large"
        title={tTrust('title', { name: entry.address })}
        onClose={() => drop(null)}
        footer={
          <>
            <Button look="plain" className="mr-auto" onClick={review}>
              {tTrust('review')}
            </Button>
            <Button look="primary" data-first onClick={() => drop(null)}>
              {tTrust('close')}
            </Button>
          </>
        }
      >
        <Suspense fallback={null}>
          <ChangedCertificate error={error} />
        </Suspense>
      </Dialog>
    );
  }
  return (
    <Dialog
      title={t(error ? 'titleFailed' : 'title', { name: entry.request.label })}
      isProduction={isProduction}
      onClose={stop}
      footer={<Button onClick={error ? () => drop(null) : stop}>{t(error ? 'back' : 'cancel')}</Button>}
    >
      <div className="flex flex-col gap-5">
        <HopLine hops={entry.hops} size="large" />
        <StepList steps={entry.steps}>{failure}</StepList>
        {!entry.steps.some((step) => step.state === 'failed') && failure}
      </div>
    </Dialog>
  );
}
