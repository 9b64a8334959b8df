'use client';

import { useTranslations } from 'next-intl';
import { lazy, Suspense, useEffect } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Frame } from '@/features/frame/frame.tsx';
import { useStanding } from '@/features/frame/use-standing.ts';
import { SignInScreen } from '@/features/sign-in/sign-in-screen.tsx';
import { StandingProblem } from '@/features/sign-in/standing-problem.tsx';
import { refreshStanding, signOut } from '@/lib/relay-status.ts';

const Begin = lazy(() => import('./begin.tsx'));

/** The first screen, as the relay's answer decides it. */
export function HomePage() {
  const t = useTranslations();
  const standing = useStanding();
  useEffect(() => {
    void refreshStanding();
  }, []);
  const isSignedIn = standing.at === 'signed-in';
  return (
    <Frame
      aside={
        isSignedIn && (
          <Button look="plain" icon="leave" className="max-sm:w-control max-sm:px-0" onClick={() => void signOut()}>
            <span className="max-sm:sr-only">{t('nav.signOut')}</span>
          </Button>
        )
      }
    >
      {standing.at === 'checking' && <Waiting />}
      {standing.at === 'signed-out' && <SignInScreen />}
      {(standing.at === 'insecure' || standing.at === 'unreachable') && <StandingProblem standing={standing} />}
      {isSignedIn && (
        <Suspense fallback={<Waiting />}>
          <Begin status={standing.status} />
        </Suspense>
      )}
    </Frame>
  );
}

/** The shape of what comes, for the moment before the relay has answered; words only when it takes long. */
function Waiting() {
  const t = useTranslations('standing');
  return (
    <div role="status" className="py-10">
      <div aria-hidden="true" className="h-8 w-64 rounded-control bg-sunken" />
      <div aria-hidden="true" className="mt-8 grid gap-4 md:grid-cols-3">
        <div className="h-44 rounded-card border border-line" />
        <div className="h-44 rounded-card border border-line" />
        <div className="h-44 rounded-card border border-line" />
      </div>
      <p className="late mt-4 text-ink-soft">{t('checking')}</p>
    </div>
  );
}
