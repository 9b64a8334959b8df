'use client';

import { useTranslations } from 'next-intl';
import { useEffect, useRef, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Dialog } from '@/components/ui/dialog.tsx';
import { type AppWindow, openWindow } from '@/features/frame/windows.ts';
import { useSaved } from '@/features/home/use-saved.ts';
import { connect, endError, useSession } from '@/features/session/session-registry.ts';
import { changeSaved, withRoute, withTarget } from '@/lib/saved.ts';
import { ConnectFields } from './connect-fields.tsx';
import {
  type CheckedForm,
  type ConnectForm,
  checkForm,
  type FormProblems,
  needsHttps,
  savedOf,
  targetOf,
} from './connect-form.ts';
import { ConnectProgress } from './connect-progress.tsx';
import { connectStart } from './connect-start.ts';
import { markConnected } from './connected.ts';
import { type ProxyQuestion, proxyQuestion } from './proxy-question.ts';
import { useRoad } from './use-road.ts';

const FORM_ID = 'connect-form';

/** Asks where to, as whom and by which road; then shows the way there, step by step. */
export default function ConnectDialog({ opened }: { opened: Extract<AppWindow, { kind: 'connect' }> }) {
  const t = useTranslations('connect');
  const saved = useSaved();
  const failed = useSession(opened.part === 'proxy' ? opened.sessionId : '');
  const [start] = useState(() => connectStart(opened.targetId, failed?.request ?? null, saved));
  const [form, setForm] = useState<ConnectForm>(start.form);
  const [problems, setProblems] = useState<FormProblems>({});
  const [asked, setAsked] = useState(() => proxyQuestion(failed && endError(failed.state)));
  const [editing, setEditing] = useState<'new' | 'route' | null>(null);
  const [sessionId, setSessionId] = useState<string | null>(null);
  /** Somebody wants to connect, and the road is still being found. */
  const [isWaiting, setWaiting] = useState(false);
  const checked = useRef<CheckedForm | null>(null);
  const body = useRef<HTMLFormElement>(null);
  const { looseRoute } = start;
  const routes = looseRoute === null ? saved.routes : [...saved.routes, looseRoute];
  const route = routes.find(({ id }) => id === form.routeId) ?? null;
  const road = useRoad(route, targetOf(form, routes));

  const wanted = useRef<readonly string[]>(asked === null ? [] : fieldsFor(asked));
  // A field may be drawn only after what led to it: a road has to be found first, or a fold to open.
  useEffect(() => {
    const fields = wanted.current.map((name) => body.current?.querySelector<HTMLElement>(`[name="${name}"]`));
    const field = fields.find((one) => one != null);
    if (!field) return;
    field.focus();
    wanted.current = [];
  });

  const change = (part: Partial<ConnectForm>) => {
    setWaiting(false);
    if ('routeId' in part) setAsked(null);
    setForm((was) => ({ ...was, ...part }));
    const isGone = (field: string) => field in part || ('signIns' in part && field.startsWith('proxy'));
    setProblems((was) => Object.fromEntries(Object.entries(was).filter(([field]) => !isGone(field))));
  };

  const submit = () => {
    if (road.isLooking) {
      setWaiting(true);
      return;
    }
    setWaiting(false);
    const result = checkForm(form, routes, road.hops);
    if (!result.ok) {
      setProblems(result.problems);
      wanted.current = Object.keys(result.problems);
      return;
    }
    checked.current = result.checked;
    const { target, printedTarget, user, shell } = result.checked;
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
        route: result.checked.route,
        proxies: result.checked.proxies,
        proxyPasswords: result.checked.proxyPasswords,
        forwardsIfRefused: result.checked.forwardsIfRefused,
        isHttpDangerChosen: form.isHttpDangerChosen && target.scheme === 'http',
        shell,
        isDemo: false,
        isProduction: form.isProduction,
      }),
    );
  };

  const onReady = () => {
    const way = checked.current;
    if (way === null) return;
    const target = savedOf(form, way, start.targetId, Date.now());
    changeSaved((before) => {
      const isLoose = looseRoute !== null && looseRoute.id === form.routeId;
      return withTarget(isLoose ? withRoute(before, looseRoute) : before, target);
    });
  };

  useEffect(() => {
    if (isWaiting && !road.isLooking) submit();
  });

  if (sessionId !== null) {
    return (
      <ConnectProgress
        sessionId={sessionId}
        password={form.password}
        isProduction={form.isProduction}
        onReady={onReady}
        onBack={(field, question = null) => {
          setSessionId(null);
          setAsked(question);
          if (question?.place === 'route' && route?.settings === null) setEditing('route');
          wanted.current = question === null ? [field ?? ''] : fieldsFor(question);
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
          <Button look="primary" type="submit" form={FORM_ID} isBusy={isWaiting}>
            {t('action')}
          </Button>
        </>
      }
    >
      <form
        id={FORM_ID}
        ref={body}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <ConnectFields {...{ form, routes, problems, road, asked, editing }} onEdit={setEditing} onChange={change} />
      </form>
    </Dialog>
  );
}

/** The fields at which a proxy's question is answered, the best first: not each of them is always there. */
function fieldsFor({ place, hop }: ProxyQuestion): readonly string[] {
  if (place === 'route') return [`hop${hop}`];
  return place === 'https' ? ['useHttps'] : [`proxyUser${hop}`, 'useHttps'];
}
