'use client';

import {
  type ClientCertificate,
  type ClientCertificateWarning,
  clientCertificateWarnings,
  isWinRmError,
  MAX_KEY_FILE_BYTES,
  openClientCertificate,
  type WinRmError,
} from '@fairlead/protocol';
import { useFormatter, useTranslations } from 'next-intl';
import { useId, useState } from 'react';
import { Button } from '@/components/ui/button.tsx';
import { TextField } from '@/components/ui/field.tsx';
import { type ChosenFile, FileButton } from '@/components/ui/file-button.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { errorText } from '@/lib/error-text.ts';

/**
 * Fetched when it is first wanted: reading key files costs as much as a TLS engine.
 *
 * Chooses the certificate to log on with. The file is opened in this tab; what is sent of it is the
 * certificate alone.
 */
export default function CertificateField({
  certificate,
  error,
  onOpened,
}: {
  certificate: ClientCertificate | null;
  /** What the form has against it. */
  error: string | undefined;
  onOpened: (certificate: ClientCertificate | null) => void;
}) {
  const t = useTranslations();
  const id = useId();
  const [files, setFiles] = useState<readonly ChosenFile[]>([]);
  const [password, setPassword] = useState('');
  const [failure, setFailure] = useState<WinRmError | null>(null);
  const [warnings, setWarnings] = useState<readonly ClientCertificateWarning[]>([]);
  const open = (chosen: readonly ChosenFile[], typed: string) => {
    try {
      const opened = openClientCertificate(
        chosen.map((file) => file.bytes),
        typed === '' ? null : typed,
      );
      setWarnings(clientCertificateWarnings(opened.certificate, Date.now()));
      setFailure(null);
      setPassword('');
      onOpened(opened);
    } catch (thrown) {
      if (!isWinRmError(thrown)) throw thrown;
      setFailure(thrown);
    }
  };
  const onChoose = (chosen: readonly ChosenFile[]) => {
    setFiles(chosen);
    setPassword('');
    onOpened(null);
    open(chosen, '');
  };
  const isLocked = failure?.code === 'tls.client-certificate-password';
  const isWrong = isLocked && (failure.details as { problem: string }).problem === 'wrong';
  const told = failure && errorText(failure);
  const words = told && `${t(told.messageKey, told.values)} ${t(told.hintKey, told.values)}`;
  return (
    <div className="flex flex-col gap-3">
      <div>
        <p className="mb-1 text-sm font-medium">{t('connect.certificate.label')}</p>
        <div className="flex flex-wrap items-center gap-3">
          <FileButton
            name="certificate"
            icon="key"
            accept=".pfx,.p12,.pem,.crt,.cer,.key,.der"
            maxBytes={MAX_KEY_FILE_BYTES}
            describedBy={`${id}-told`}
            onChoose={onChoose}
          >
            {t(certificate ? 'connect.certificate.other' : 'connect.certificate.choose')}
          </FileButton>
          <span className="min-w-0 truncate text-sm text-ink-soft">{files.map((file) => file.name).join(', ')}</span>
        </div>
        <p
          id={`${id}-told`}
          className={`mt-1 text-sm ${error || (failure && !isLocked) ? 'text-bad' : 'text-ink-soft'}`}
        >
          {failure && !isLocked ? words : (error ?? t('connect.certificate.hint'))}
        </p>
      </div>
      {isLocked && (
        <div className="flex items-start gap-2">
          <TextField
            fieldClass="grow"
            name="filePassword"
            type="password"
            label={t('connect.certificate.password')}
            value={password}
            autoFocus
            error={isWrong && words}
            hint={t('connect.certificate.passwordHint')}
            onChange={(event) => setPassword(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              open(files, password);
            }}
          />
          <Button className="mt-6" onClick={() => open(files, password)}>
            {t('connect.certificate.open')}
          </Button>
        </div>
      )}
      {certificate && <Opened opened={certificate} warnings={warnings} />}
    </div>
  );
}

function Opened({
  opened: { certificate },
  warnings,
}: {
  opened: ClientCertificate;
  warnings: readonly ClientCertificateWarning[];
}) {
  const t = useTranslations('connect.certificate');
  const format = useFormatter();
  const [account] = certificate.userPrincipalNames;
  return (
    <div role="status" className="rounded-control border border-line bg-ground p-3 text-sm">
      <p className="flex gap-2">
        <Icon name="check" className="mt-0.5 text-good" />
        <span className="min-w-0">
          <b className="font-medium wrap-anywhere">{account ?? certificate.subject.text}</b>{' '}
          <span className="text-ink-soft">
            {t('until', { date: format.dateTime(new Date(certificate.notAfterMs), { dateStyle: 'medium' }) })}
          </span>
        </span>
      </p>
      {warnings.map((warning) => (
        <p key={warning} className="mt-1 flex gap-2 text-warn-ink">
          <Icon name="warning" className="mt-0.5" />
          {t(`warning.${warning}`)}
        </p>
      ))}
    </div>
  );
}
