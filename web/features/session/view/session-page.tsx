'use client';

import { useTranslations } from 'next-intl';
import { Suspense, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { FullMessages } from '@/components/full-messages.tsx';
import { showToast } from '@/components/ui/toast.tsx';
import { openedWindow, openWindow, watchWindow } from '@/features/frame/windows.ts';
import { FirstContact } from '@/features/trust/first-contact.tsx';
import { closeSession, retry, type SessionEntry, useSessions } from '../session-registry.ts';
import { shortcutOf } from '../shortcut.ts';
import { CloseDialog, PasswordDialog } from './dialogs.tsx';
import { HopDialog } from './latency.tsx';
import { Opening } from './opening.tsx';
import { ReturnCard, useReturnWords } from './returning.tsx';
import { NoSession, SessionTools, useSessionActions } from './session-tools.tsx';
import { SessionView } from './session-view.tsx';
import { TabStrip } from './tab-strip.tsx';
import { useActiveTab } from './use-active-tab.ts';
import { useLeaveGuard } from './use-leave-guard.ts';
import { useDividerWords, useRecovery } from './use-recovery.ts';
import { useWindowKeys } from './use-window-keys.ts';

/** Every open session, in tabs. */
export function SessionPage() {
  return (
    <Suspense fallback={null}>
      <FullMessages>
        <Sessions />
      </FullMessages>
    </Suspense>
  );
}

type Asked = { readonly kind: 'hops' | 'close' | 'password'; readonly id: string };

function Sessions() {
  const sessions = useSessions();
  const [active, show] = useActiveTab(sessions);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [isCommandView, setCommandView] = useState(false);
  const [findRequest, setFindRequest] = useState(0);
  const recover = useRecovery((id) => setAsked({ kind: 'password', id }));
  const close = useClose(setAsked);
  // While the connect dialog shows a session's way here, it is the one that asks.
  const opened = useSyncExternalStore(watchWindow, openedWindow, () => null);
  usePreparedPalette();
  useLeaveGuard(sessions);
  useDividerWords();
  useReturnWords(sessions);
  const acts = useMemo(
    () => ({
      onFind: () => {
        setCommandView(false);
        setFindRequest((was) => was + 1);
      },
      onCommandView: () => setCommandView((was) => !was),
      onHops: () => active && setAsked({ kind: 'hops', id: active.id }),
      onClose: () => active && close(active, false),
    }),
    [active, close],
  );
  useSessionActions(active, acts);
  useWindowKeys((event) => tabKey(event, sessions, show, acts.onClose));
  const entry = sessions.find((one) => one.id === asked?.id) ?? null;
  const isShell = active?.wasReady === true && active.shell !== null;
  const bar = active?.request.isProduction && <div className="h-[3px] shrink-0 bg-bad" />;
  const ribbon = active?.request.isDemo && <div className="h-[3px] shrink-0 bg-warn" />;
  return (
    <main className="flex h-dvh flex-col overflow-hidden">
      {bar}
      {ribbon}
      <TabStrip
        sessions={sessions}
        activeId={active?.id ?? null}
        onShow={show}
        onClose={(id) => {
          const closing = sessions.find((one) => one.id === id);
          if (closing) close(closing, false);
        }}
      >
        {active && <SessionTools entry={active} isCommandView={isCommandView} {...acts} />}
      </TabStrip>
      {active === null && <NoSession />}
      {active?.returning && (
        <ReturnCard entry={active} onConnect={() => recover(active, null)} onClose={() => close(active, true)} />
      )}
      {active && !active.returning && !isShell && (
        <Opening
          key={active.id}
          entry={active}
          onRecover={(error) => recover(active, error)}
          onClose={() => close(active, true)}
        />
      )}
      {active?.shell && !active.returning && isShell && (
        <SessionView
          key={active.id}
          entry={active}
          shell={active.shell}
          isCommandView={isCommandView}
          findRequest={findRequest}
          onFind={(isOpen) => (isOpen ? acts.onFind() : setFindRequest(0))}
          onCommandView={acts.onCommandView}
          onOpenHops={acts.onHops}
          onNewShell={(codePage) => recover(active, null, codePage)}
          onRecover={(error) => recover(active, error)}
          onClose={() => close(active, true)}
        />
      )}
      {bar}
      {active && opened === null && <FirstContact entry={active} />}
      {asked?.kind === 'hops' && entry && <HopDialog entry={entry} onClose={() => setAsked(null)} />}
      {asked?.kind === 'close' && entry && (
        <CloseDialog entry={entry} onConfirm={() => close(entry, true)} onClose={() => setAsked(null)} />
      )}
      {asked?.kind === 'password' && entry && (
        <PasswordDialog
          entry={entry}
          onClose={() => setAsked(null)}
          onPassword={(password) => {
            setAsked(null);
            retry(entry.id, password);
          }}
        />
      )}
    </main>
  );
}

/** Has the palette at hand: what is typed after F1 must never reach a shell because code is still on its way. */
function usePreparedPalette(): void {
  useEffect(() => {
    void import('@/features/frame/app-windows.tsx');
    void import('@/features/palette/palette.tsx');
  }, []);
}

/** Closes a session; asks first when a command runs and nobody is sure yet. */
function useClose(ask: (asked: Asked | null) => void): (entry: SessionEntry, isSure: boolean) => void {
  const t = useTranslations('session');
  return useCallback(
    (entry, isSure) => {
      const isLive = entry.state.at === 'ready';
      if (!isSure && isLive && entry.isRunning) {
        ask({ kind: 'close', id: entry.id });
        return;
      }
      ask(null);
      void closeSession(entry.id).then((isDeleted) => {
        const { label: name } = entry.request;
        if (isLive) showToast(t(isDeleted ? 'close.done' : 'close.unsure', { name }), isDeleted ? 'good' : 'warn');
      });
    },
    [t, ask],
  );
}

/** Keys that choose among tabs, wherever the focus is on the page. */
function tabKey(
  event: KeyboardEvent,
  sessions: readonly SessionEntry[],
  show: (id: string) => void,
  close: () => void,
): void {
  const action = shortcutOf(event);
  if (action?.kind === 'tab') {
    const session = sessions[action.index];
    if (session) show(session.id);
  } else if (action?.kind === 'new-tab') openWindow({ kind: 'connect', targetId: null, part: 'server' });
  else if (action?.kind === 'close-tab') close();
  else return;
  event.preventDefault();
}
