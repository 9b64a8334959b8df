import type { WinRmError } from '@fairlead/protocol';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useCallback, useEffect } from 'react';
import { isProxyQuestion } from '@/features/connect/proxy-question.ts';
import { openWindow } from '@/features/frame/windows.ts';
import { readStanding, refreshStanding } from '@/lib/relay-status.ts';
import { isOutage } from '../outage.ts';
import {
  type Divider,
  endError,
  knownPassword,
  retry,
  type SessionEntry,
  setDividerWords,
} from '../session-registry.ts';
import { isClosedByServer } from '../status-line.ts';

/** Carries out the one action of an error; without an error, opens a new shell in the same tab. */
export function useRecovery(
  askPassword: (id: string) => void,
): (entry: SessionEntry, error: WinRmError | null, codePage?: number) => void {
  const router = useRouter();
  // A certificate is chosen where the other fields are; a password is all that is asked for otherwise.
  const ask = (entry: SessionEntry) =>
    entry.request.policy === 'certificate'
      ? openWindow({ kind: 'connect', targetId: null, part: 'server' })
      : askPassword(entry.id);
  const again = (entry: SessionEntry, codePage?: number) => {
    void knownPassword(entry).then((password) => {
      if (password === null) ask(entry);
      else retry(entry.id, password, codePage === undefined ? {} : { codePage });
    });
  };
  return (entry, error, codePage) => {
    const recovery = error !== null && isOutage(entry, error) ? 'reconnect' : error?.recovery;
    if (recovery === 'sign-in') {
      // Somebody who has signed in meanwhile wants to go on here.
      void refreshStanding().then(() => (readStanding().at === 'signed-in' ? again(entry) : router.push('/')));
    } else if (error !== null && !entry.request.isDemo && isProxyQuestion(error.code)) {
      openWindow({ kind: 'connect', targetId: null, part: 'proxy', sessionId: entry.id });
    } else if (recovery === 'change-route' || error?.code.startsWith('proxy.auth-')) {
      openWindow({ kind: 'connect', targetId: null, part: 'route' });
    } else if (recovery === 'review-trust' && error?.code !== 'tls.untrusted') {
      openWindow({ kind: 'settings', part: 'certificates' });
    } else if (recovery === 'new-credential') {
      ask(entry);
    } else again(entry, codePage);
  };
}

/** Gives the lines drawn into the output their words, in the reader's language. */
export function useDividerWords(): void {
  const t = useTranslations('session.divider');
  const words = useCallback(
    (divider: Divider) => {
      const clock = (ms: number, second?: '2-digit') =>
        new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', ...(second && { second }) });
      if (divider.at === 'gap') {
        const { sinceMs, atMs } = divider;
        if (sinceMs === null) return t('gap', { time: clock(atMs) });
        // Two times within a minute would read as the same.
        const second = clock(sinceMs) === clock(atMs) ? '2-digit' : undefined;
        return t('anew', { since: clock(sinceMs, second), time: clock(atMs, second) });
      }
      const time = clock(Date.now());
      if (divider.at === 'resumed' || divider.at === 'trimmed') return t(divider.at, { time });
      const state = divider;
      if (state.at === 'ended') return t('ended', { code: String(state.exit.signed), time });
      return t(endError(state) === null ? 'closed' : isClosedByServer(state) ? 'closedByServer' : 'lost', { time });
    },
    [t],
  );
  useEffect(() => setDividerWords(words), [words]);
}
