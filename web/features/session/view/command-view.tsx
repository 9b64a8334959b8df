'use client';

import { useFormatter, useTranslations } from 'next-intl';
import { useState } from 'react';
import { IconButton } from '@/components/ui/button.tsx';
import { Icon } from '@/components/ui/icons.tsx';
import { saveText } from '@/lib/save-text.ts';
import type { Block } from '../block-log.ts';
import type { LiveShell } from '../live-shell.ts';
import { useBlocks } from './use-shell.ts';

/** Lines of a block shown before a person asks for more. */
const SHOWN_LINES = 60;
/** Lines added with each press. */
const MORE_LINES = 1_000;

/** The session as a document: one article per command, for screen readers and for anyone who looks for one answer. */
export function CommandView({
  shell,
  onCopy,
  onReuse,
}: {
  shell: LiveShell;
  onCopy: (text: string) => void;
  onReuse: (command: string) => void;
}) {
  const t = useTranslations('session.commands');
  const blocks = useBlocks(shell).filter((block) => block.kind === 'command' || block.charCount > 0);
  return (
    <section
      aria-label={t('label')}
      data-region="output"
      data-document
      tabIndex={-1}
      className="min-h-0 grow overflow-y-auto bg-ground p-3 outline-none sm:p-5"
    >
      {blocks.length === 0 && <p className="text-ink-soft">{t('empty')}</p>}
      <div className="mx-auto flex max-w-5xl flex-col gap-4">
        {blocks.map((block) => (
          <BlockArticle key={block.id} block={block} shell={shell} onCopy={onCopy} onReuse={onReuse} />
        ))}
      </div>
    </section>
  );
}

const LOOKS = {
  running: { icon: 'play', colour: 'text-accent' },
  finished: { icon: 'check', colour: 'text-good' },
  interrupted: { icon: 'cross', colour: 'text-warn-ink' },
  cut: { icon: 'warning', colour: 'text-bad' },
} as const;

function BlockArticle({
  block,
  shell,
  onCopy,
  onReuse,
}: {
  block: Block;
  shell: LiveShell;
  onCopy: (text: string) => void;
  onReuse: (command: string) => void;
}) {
  const t = useTranslations('session.commands');
  const format = useFormatter();
  const headingId = `block-${block.id}`;
  const look = LOOKS[block.status];
  const ms = block.durationMs ?? 0;
  const took =
    ms < 1000
      ? format.number(ms, { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 })
      : format.number(ms / 1000, { style: 'unit', unit: 'second', maximumFractionDigits: ms < 10_000 ? 1 : 0 });
  const name = block.kind === 'banner' ? t('banner') : block.command;
  return (
    <article
      aria-labelledby={headingId}
      data-command
      className="rounded-card border border-line bg-surface outline-offset-2"
      tabIndex={-1}
    >
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line py-1 pr-1 pl-4">
        <h2 id={headingId} className="min-w-0 truncate font-mono text-sm font-semibold">
          {name}
        </h2>
        <span className="flex items-center gap-1.5 text-xs text-ink-soft">
          <Icon name={look.icon} className={`size-3 ${look.colour}`} />
          {t(`status.${block.status}`)} · {t('lines', { count: block.lineCount })}
          {block.durationMs !== null && ` · ${took}`}
          {block.errorLineCount > 0 && ` · ${t('errorLines', { count: block.errorLineCount })}`}
        </span>
        <span className="grow" />
        <span className="flex">
          {block.kind === 'command' && (
            <IconButton label={t('copyCommand', { name })} icon="terminal" onClick={() => onCopy(block.command)} />
          )}
          <IconButton
            label={t('copyOutput', { name })}
            icon="copy"
            onClick={() => onCopy(shell.blocks.output(block.id))}
          />
          <IconButton
            label={t('save', { name })}
            icon="save"
            onClick={() => saveText(shell.blocks.output(block.id), name)}
          />
          {block.kind === 'command' && (
            <IconButton label={t('reuse', { name })} icon="reload" onClick={() => onReuse(block.command)} />
          )}
        </span>
      </header>
      {!block.isWhole && <p className="px-4 pt-3 text-sm text-warn-ink">{t('notWhole')}</p>}
      <BlockOutput block={block} shell={shell} />
    </article>
  );
}

function BlockOutput({ block, shell }: { block: Block; shell: LiveShell }) {
  const t = useTranslations('session.commands');
  const [limit, setLimit] = useState(SHOWN_LINES);
  if (block.charCount === 0)
    return block.status === 'running' ? null : <p className="px-4 py-3 text-sm text-ink-soft">{t('noOutput')}</p>;
  const shown = shell.blocks.pieces(block.id, limit).map((piece, at) => ({ ...piece, key: `${at}` }));
  const hidden = block.lineCount - limit;
  return (
    <>
      <pre lang="" className="px-4 py-3 font-mono text-sm break-words whitespace-pre-wrap">
        {shown.map((piece, at) => (
          <span
            key={piece.key}
            className={
              piece.stream === 'stderr'
                ? 'block border-l-2 border-warn pl-2'
                : piece.stream === 'input'
                  ? 'font-semibold'
                  : ''
            }
          >
            {piece.stream === 'stderr' && <span className="sr-only">{t('stderr')} </span>}
            {at === shown.length - 1 ? piece.text.trimEnd() : piece.text}
          </span>
        ))}
      </pre>
      {hidden > 0 && (
        <button type="button" className="link px-4 pb-3 text-sm" onClick={() => setLimit(limit + MORE_LINES)}>
          {t('more', { count: hidden })}
        </button>
      )}
    </>
  );
}
