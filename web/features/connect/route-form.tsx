'use client';

import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { ChoiceField, TextField } from '@/components/ui/field.tsx';
import { changeSaved, type SavedRoute, withRoute } from '@/lib/saved.ts';
import { printAddress, readProxy } from './connect-form.ts';
import { useProblemWords } from './problem-words.ts';

/** Saves a proxy one knows, under a name. Not a form of its own: it stands inside the connect dialog's. */
export function RouteForm({ onSaved, onCancel }: { onSaved: (id: string) => void; onCancel?: () => void }) {
  const t = useTranslations();
  const say = useProblemWords();
  const [name, setName] = useState('');
  const [address, setAddress] = useState('');
  const [kind, setKind] = useState<SavedRoute['kind']>('http-connect');
  const [isChecked, setChecked] = useState(false);
  const read = readProxy(address, kind);
  const problem =
    read === null
      ? isChecked && t('routes.problem')
      : 'problem' in read && isChecked && say(read.problem, t('routes.address'));
  const save = () => {
    setChecked(true);
    if (read === null || 'problem' in read) return;
    const route: SavedRoute = { id: crypto.randomUUID(), name: name.trim() || read.host, kind, ...read };
    changeSaved((saved) => withRoute(saved, route));
    setName('');
    setAddress('');
    setChecked(false);
    onSaved(route.id);
  };
  return (
    <fieldset
      className="flex flex-col gap-4"
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return;
        event.preventDefault();
        save();
      }}
    >
      <legend className="mb-3 font-medium">{t('routes.new')}</legend>
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label={t('routes.address')}
          value={address}
          placeholder="proxy.corp.example:3128"
          isCode
          error={problem}
          hint={read !== null && !('problem' in read) && t('routes.understood', { address: printAddress(read) })}
          onChange={(event) => setAddress(event.target.value)}
        />
        <TextField
          label={t('routes.name')}
          value={name}
          maxLength={100}
          placeholder={t('routes.nameExample')}
          onChange={(event) => setName(event.target.value)}
        />
      </div>
      <ChoiceField
        label={t('routes.kind')}
        value={kind}
        choices={[
          { value: 'http-connect', label: t('routes.connect') },
          { value: 'http-forward', label: t('routes.forward') },
        ]}
        hint={t(kind === 'http-connect' ? 'routes.connectHint' : 'routes.forwardHint')}
        onChoose={setKind}
      />
      <div className="flex gap-2">
        <Button icon="plus" onClick={save}>
          {t('routes.save')}
        </Button>
        {onCancel && (
          <Button look="plain" onClick={onCancel}>
            {t('common.cancel')}
          </Button>
        )}
      </div>
    </fieldset>
  );
}
