'use client';

import { type Certificate, isWinRmError, readCertificates, sha256Thumbprint } from '@fairlead/protocol';
import { useFormatter, useTranslations } from 'next-intl';
import { useState } from 'react';
import { IconButton } from '@/components/ui/button.tsx';
import { Note } from '@/components/ui/card.tsx';
import { type ChosenFile, FileButton } from '@/components/ui/file-button.tsx';
import { Thumbprint } from '@/features/trust/certificate-facts.tsx';
import { addRoots, forgetRoots, MAX_ROOTS, removeRoot } from '@/features/trust/root-book.ts';
import { Broken } from './certificates.tsx';
import { useRoots } from './use-book.ts';

const MAX_ROOT_FILE_BYTES = 1024 * 1024;

/** Certificates of a company's own authority: whoever they vouch for needs no question. */
export function Roots() {
  const t = useTranslations('settings.certificates.roots');
  const roots = useRoots();
  const [told, setTold] = useState<{ readonly words: string; readonly tone: 'good' | 'bad' } | null>(null);
  const take = (files: readonly ChosenFile[]) => {
    try {
      const found = files.flatMap((file) => readCertificates(file.bytes));
      addRoots(found);
      setTold({ words: t('imported', { count: found.length }), tone: 'good' });
    } catch (error) {
      if (!isWinRmError(error)) throw error;
      const isFull = error.code === 'misuse.bad-argument';
      setTold({ words: isFull ? t('tooMany', { limit: MAX_ROOTS }) : t('notCertificates'), tone: 'bad' });
    }
  };
  if (roots === null) return <Broken words={t('broken')} action={t('giveUp')} onGiveUp={forgetRoots} />;
  return (
    <div className="flex flex-col gap-3">
      <div>
        <h4 className="text-sm font-medium">{t('title')}</h4>
        <p className="max-w-[72ch] text-sm text-ink-soft">{t('text')}</p>
      </div>
      {roots.length > 0 && (
        <ul className="divide-y divide-line rounded-control border border-line">
          {roots.map((root) => (
            <RootRow key={sha256Thumbprint(root)} root={root} />
          ))}
        </ul>
      )}
      <div>
        <FileButton icon="up" accept=".pem,.crt,.cer,.der" maxBytes={MAX_ROOT_FILE_BYTES} onChoose={take}>
          {t('import')}
        </FileButton>
      </div>
      {told && (
        <Note tone={told.tone}>
          <p role="status">{told.words}</p>
        </Note>
      )}
    </div>
  );
}

function RootRow({ root }: { root: Certificate }) {
  const t = useTranslations('settings.certificates.roots');
  const format = useFormatter();
  const name = root.subject.text;
  return (
    <li className="flex items-start gap-3 px-4 py-3">
      <div className="min-w-0 grow">
        <p className="text-sm font-medium wrap-anywhere">{name}</p>
        <Thumbprint value={sha256Thumbprint(root)} name={t('thumbprintOf', { name })} />
        <p className="text-sm text-ink-soft">
          {t('until', { date: format.dateTime(new Date(root.notAfterMs), { dateStyle: 'medium' }) })}
        </p>
      </div>
      <IconButton label={t('remove', { name })} icon="trash" onClick={() => removeRoot(sha256Thumbprint(root))} />
    </li>
  );
}
