'use client';

import { useTranslations } from 'next-intl';
import { useEffect, useRef, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { useStanding } from '@/features/frame/use-standing.ts';
import { openWindow } from '@/features/frame/windows.ts';
import { connect } from '@/features/session/session-registry.ts';
import { signOut } from '@/lib/relay-status.ts';
import { findDemoPassword } from '@/lib/vault.ts';
import { printAddress } from './connect-form.ts';
import { ConnectProgress } from './connect-progress.tsx';
import { markConnected } from './connected.ts';

/** Opens the demo at once: the host, the proxy and the password are known. */
export default function DemoDialog({ scheme }: { scheme: 'http' | 'https' }) {
  const t = useTranslations('demo');
  const standing = useStanding();
  const demo = standing.at === 'signed-in' ? standing.status.demo : null;
  const [way, setWay] = useState<{ sessionId: string; password: string } | 'no-password' | null>(null);
  const isStarted = useRef(false);
  const isHttps = scheme === 'https' && demo?.https !== undefined;
  const label = t(isHttps ? 'labelHttps' : 'label');
  useEffect(() => {
    if (isStarted.current || demo === null) return;
    isStarted.current = true;
    void findDemoPassword().then((password) => {
      if (password === null) {
        setWay('no-password');
        return;
      }
      markConnected();
      const sessionId = connect({
        label,
        target: isHttps && demo.https ? `https://${printAddress(demo.https.target)}` : printAddress(demo.target),
        scheme: isHttps ? 'https' : 'http',
        policy: 'negotiate',
        user: demo.user,
        password,
        certificate: null,
        sealsAlways: false,
        allowsLegacyTls: false,
        route: demo.route,
        proxies: [],
        proxyPasswords: [],
        isHttpDangerChosen: false,
        shell: { kind: 'interactive', codePage: 65_001 },
        isDemo: true,
        isProduction: false,
      });
      setWay({ sessionId, password });
    });
  }, [demo, isHttps, label]);
  if (way !== null && way !== 'no-password') {
    return (
      <ConnectProgress
        sessionId={way.sessionId}
        password={way.password}
        isProduction={false}
        onReady={() => undefined}
        onBack={() => openWindow(null)}
      />
    );
  }
  if (way === null && demo !== null) return null;
  return (
    <Dialog
      title={t('title')}
      size="small"
      onClose={() => openWindow(null)}
      footer={
        demo && (
          <Button
            look="primary"
            onClick={() => {
              openWindow(null);
              void signOut();
            }}
          >
            {t('signInAgain')}
          </Button>
        )
      }
    >
      <p>{t(demo ? 'noPassword' : 'noDemo')}</p>
    </Dialog>
  );
}
