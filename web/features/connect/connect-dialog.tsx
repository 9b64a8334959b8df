'use client';

import { useTranslations } from 'next-intl';
import { type FormEvent, useRef, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { type AppWindow, openWindow } from '@/features/frame/windows.ts';
import { useSaved } from '@/features/home/use-saved.ts';
import { connect, passwordKey, proxyPasswordKey } from '@/features/session/session-registry.ts';
import { changeSaved, withTarget } from '@/lib/saved.ts';
import { findCertificate, findPassword } from '@/lib/vault.ts';
import { ConnectFields } from './connect-fields.tsx';
import {
  type CheckedForm,
  type ConnectForm,
  checkForm,
  EMPTY_FORM,
  type FormProblems,
  formOf,
  needsHttps,
  routeOf,
  savedOf,
} from './connect-form.ts';
import { ConnectProgress } from './connect-progress.tsx';
import { markConnected } from './connected.ts';

const FORM_ID = 'connect-form';

/** Asks where to, as whom and by which road; then shows the way there, step by step. */
export default function ConnectDialog({ opened }: { opened: Extract<AppWindow, { kind: 'connect' }> }) {
  const t = useTranslations('connect');
  const { targets, routes } = useSaved();
  const [targetId] = useState(() => opened.targetId ?? crypto.randomUUID());
  const [form, setForm] = useState<ConnectForm>(() => {
    const saved = targets.find(({ id }) => id === opened.targetId);
    if (saved === undefined) return EMPTY_FORM;
    const key = passwordKey(saved);
    const proxyKey = proxyPasswordKey({ route: routeOf(saved, routes), proxies: [{ user: saved.proxyUser }] }, 0);
    return formOf(saved, {
      password: findPassword(key),
      certificate: findCertificate(key),
      proxyPassword: proxyKey && findPassword(proxyKey),
    });
  });
  const [problems, setProblems] = useState<FormProblems>({});
  const [asked, setAsked] = useState<string | null>(null);
  const [sessionId, setSessionId] = useState<string | null>(null);
  const checked = useRef<CheckedForm | null>(null);
  const body = useRef<HTMLFormElement>(null);

  const change = (part: Partial<ConnectForm>) => {
    if ('routeId' in part) setAsked(null);
    setForm((was) => ({ ...was, ...part }));
    setProblems((was) => Object.fromEntries(Object.entries(was).filter(([field]) => !(field in part))));
  };

  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const result = checkForm(form, routes);
    if (!result.ok) {
      setProblems(result.problems);
      focusField(Object.keys(result.problems)[0] ?? 'server');
      return;
    }
    checked.current = result.checked;
    const { target, printedTarget, user, route, proxy, shell } = result.checked;
    markConnected();
    setSessionId(
      connect({
        label: form.name.trim() || printedTarget,
        target: printedTarget,
        scheme: target.scheme,
        policy: form.policy,
        user,
        password: form.policy === 'certificate' ? '' : form.password,
        certificate: form.policy === 'certificate' ? form.certificate : null,
        sealsAlways: form.sealsAlways && !needsHttps(form.policy) && target.scheme === 'https',
        allowsLegacyTls: form.allowsLegacyTls,
        route,
        proxies: [proxy && { user: proxy.user, means: proxy.allowsBasic ? 'basic' : 'best' }],
        proxyPasswords: proxy === null ? [] : [form.proxyPassword],
        isHttpDangerChosen: false,
        shell,
        isDemo: false,
        isProduction: form.isProduction,
      }),
    );
  };

  const focusField = (name: string) =>
    requestAnimationFrame(() => body.current?.querySelector<HTMLElement>(`[name="${name}"]`)?.focus());

  const onReady = () => {
    const way = checked.current;
    if (way === null) return;
    changeSaved((saved) => withTarget(saved, savedOf(form, way, targetId, Date.now())));
  };

  if (sessionId !== null) {
    return (
      <ConnectProgress
        sessionId={sessionId}
        password={form.password}
        isProduction={form.isProduction}
        onReady={onReady}
        onBack={(field, offered = null) => {
          setSessionId(null);
          setAsked(offered);
          if (field) focusField(field);
        }}
      />
    );
  }
  return (
    <Dialog
      title={opened.targetId && form.name ? t('titleOf', { name: form.name }) : t('title')}
      isProduction={form.isProduction}
      onClose={() => openWindow(null)}
      footer={
        <>
          <Button onClick={() => openWindow(null)}>{t('cancel')}</Button>
          <Button look="primary" type="submit" form={FORM_ID}>
            {t('action')}
          </Button>
        </>
      }
    >
      <form id={FORM_ID} ref={body} onSubmit={onSubmit} noValidate>
        <ConnectFields form={form} problems={problems} asked={asked} onChange={change} />
      </form>
    </Dialog>
  );
}
