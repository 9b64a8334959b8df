import type { SessionState, WinRmError } from '@fairlead/protocol';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'next-intl';
import { useCallback, useEffect } from 'react';
import { openWindow } from '@/features/frame/windows.ts';
import { refreshStanding } from '@/lib/relay-status.ts';
import { endError, knownPassword, retry, type SessionEntry, setDividerWords } from '../session-registry.ts';

/** Carries out the one action of an error; without an error, opens a new shell in the same tab. */
export function useRecovery(
  askPassword: (id: string) => void,
): (entry: SessionEntry, error: WinRmError | null, codePage?: number) => void {
  const router = useRouter();
  return (entry, error, codePage) => {
    if (error?.recovery === 'sign-in') {
      void refreshStanding();
      router.push('/');
    } else if (error?.recovery === 'change-route') {
      openWindow({ kind: 'connect', targetId: null, part: 'route' });
    } else if (error?.recovery === 'new-credential') {
      askPassword(entry.id);
    } else {
      void knownPassword(entry).then((password) => {
        if (password === null) askPassword(entry.id);
        else retry(entry.id, password, codePage === undefined ? {} : { codePage });
      });
    }
  };
}

/** Gives the lines drawn into the output their words, in the reader's language. */
export function useDividerWords(): void {
  const t = useTranslations('session.divider');
  const words = useCallback(
    (state: SessionState) => {
      const time = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
      if (state.at === 'ended') return t('ended', { code: String(state.exit.signed), time });
      return t(endError(state) === null ? 'closed' : 'lost', { time });
    },
    [t],
  );
  useEffect(() => setDividerWords(words), [words]);
}
