'use client';

import { useTranslations } from 'next-intl';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { Note } from '@/components/ui/card.tsx';
import { TextField } from '@/components/ui/field.tsx';
import { signIn } from '@/lib/relay-status.ts';
import { codeFromFragment, groupTypedCode } from '@/lib/sign-in-link.ts';

/** Takes the code that the process printed, typed or from a link's fragment, and proves it without sending it. */
export function SignInScreen() {
  const t = useTranslations('signIn');
  const [code, setCode] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  const prove = async (text: string) => {
    setBusy(true);
    setProblem(null);
    const result = await signIn(text);
    if (result === 'done') return;
    setProblem(result);
    setBusy(false);
    input.current?.select();
  };
  const proveLink = useRef(prove);

  useEffect(() => {
    const takeLink = () => {
      const linked = codeFromFragment(location.hash);
      if (linked === null) return;
      history.replaceState(history.state, '', location.pathname + location.search);
      setCode(groupTypedCode(linked));
      void proveLink.current(linked);
    };
    takeLink();
    // On touch, focus would push the keyboard over the words that say where the code is.
    if (matchMedia('(pointer: fine)').matches) input.current?.focus();
    window.addEventListener('hashchange', takeLink);
    return () => window.removeEventListener('hashchange', takeLink);
  }, []);

  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (isBusy) return;
    if (code === '') {
      setProblem('empty');
      input.current?.focus();
    } else void prove(code);
  };

  return (
    <section className="arrives mx-auto max-w-sm py-12 sm:py-20">
      <h1 className="text-2xl font-semibold tracking-tight">{t('title')}</h1>
      <p className="mt-2 mb-8 text-ink-soft">{t('intro')}</p>
      <form onSubmit={onSubmit} noValidate>
        <TextField
          ref={input}
          label={t('code')}
          name="code"
          value={code}
          autoComplete="one-time-code"
          placeholder="XXXX-XXXX-XXXX"
          error={problem && t(`problem.${problem}`)}
          isCode
          className="h-12 !text-lg tracking-widest"
          onChange={(event) => setCode(groupTypedCode(event.target.value))}
        />
        <Button look="primary" type="submit" isBusy={isBusy} className="mt-4 min-h-11 w-full">
          {isBusy ? t('busy') : t('action')}
        </Button>
      </form>
      <Note className="mt-8">{t('privacy')}</Note>
      <h2 className="mt-8 mb-2 text-sm font-medium">{t('where')}</h2>
      <pre className="break-words whitespace-pre-wrap rounded-control border border-line bg-sunken p-3 font-mono text-xs leading-relaxed text-ink-soft">
        {t('example')}
      </pre>
      <p className="mt-2 text-sm text-ink-soft">{t('again')}</p>
    </section>
  );
}
