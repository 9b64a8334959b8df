'use client';

import { useTranslations } from 'next-intl';
import { type ClipboardEvent, type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import type { InputMode } from '../input-key.ts';
import { type EditorState, searchMatch, suggestion } from '../line-editor.ts';
import { shortPrompt } from '../short-prompt.ts';

/** What the input line shows and tells. */
export interface InputLineProps {
  readonly state: EditorState;
  readonly history: readonly string[];
  readonly prompt: string;
  readonly mode: InputMode;
  readonly isDisabled: boolean;
  readonly rowPx: number;
  readonly fontPx: number;
  readonly tabMode: 'complete' | 'focus';
  readonly field: RefObject<HTMLTextAreaElement | HTMLInputElement | null>;
  readonly onEdit: (text: string, caret: number) => void;
  /** The caret moved; the text is told too, because the event may be older than the last edit. */
  readonly onCaret: (text: string, caret: number) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly onPaste: (event: ClipboardEvent) => void;
}

/** A real text field, styled as the prompt: carets, IME windows and dictation are the system's. */
export function InputLine(props: InputLineProps) {
  const t = useTranslations('session.input');
  const { state, mode, prompt, field } = props;
  const search = state.search;
  const value = search === null ? state.text : search.query;
  const label =
    search !== null
      ? t('search')
      : mode === 'prompt'
        ? t('label')
        : mode === 'hidden'
          ? t('hiddenLabel')
          : t('programLabel');
  useEffect(() => {
    // Hidden input is another field: what was typed goes on there.
    if (field.current?.dataset['mode'] === mode) field.current.focus({ preventScroll: true });
  }, [field, mode]);
  useCaret(field, value, search === null ? state.caret : null);
  const rowPx = props.rowPx || Math.ceil(props.fontPx * 1.6);
  const face = { fontSize: props.fontPx, lineHeight: `${rowPx}px` };
  const ties = {
    'aria-label': label,
    'aria-describedby': 'input-hint',
    'data-region': 'input',
    'data-mode': mode,
    value,
    disabled: props.isDisabled,
    autoComplete: 'off',
    autoCapitalize: 'none',
    autoCorrect: 'off',
    spellCheck: false,
    enterKeyHint: 'send' as const,
    onKeyDown: props.onKeyDown,
    onPaste: props.onPaste,
    onChange: (event: { target: { value: string; selectionStart: number | null } }) =>
      props.onEdit(event.target.value, event.target.selectionStart ?? event.target.value.length),
    onSelect: (event: { currentTarget: { value: string; selectionStart: number | null } }) =>
      props.onCaret(event.currentTarget.value, event.currentTarget.selectionStart ?? 0),
    className:
      'block w-full min-w-0 resize-none border-0 bg-transparent p-0 font-mono text-(--fl-ink) caret-accent outline-none placeholder:text-(--fl-soft)',
    style: face,
  };
  return (
    <div className="flex flex-wrap px-3.5 pb-3 font-mono" style={face}>
      <Prompt text={search !== null ? t('search') : mode === 'prompt' ? prompt : ''} isApart={search !== null} />
      <div className="relative min-w-[12ch] grow basis-[12ch]">
        {search === null && mode !== 'hidden' && <Ghost text={state.text} rest={suggestion(state, props.history)} />}
        {mode === 'hidden' ? (
          <input
            {...ties}
            ref={field as RefObject<HTMLInputElement>}
            type="password"
            placeholder={t('hiddenPlaceholder')}
          />
        ) : (
          <textarea
            {...ties}
            ref={field as RefObject<HTMLTextAreaElement>}
            rows={1}
            placeholder={mode === 'program' ? t('programPlaceholder') : ''}
          />
        )}
      </div>
      {search !== null && (
        <output className="basis-full truncate text-(--fl-ink)">
          {searchMatch(state, props.history) ?? <span className="text-(--fl-soft)">{t('noMatch')}</span>}
        </output>
      )}
      <span id="input-hint" className="sr-only">
        {t('hint', { tab: props.tabMode })}
      </span>
    </div>
  );
}

function Prompt({ text, isApart }: { text: string; isApart: boolean }) {
  if (text === '') {
    return (
      <span aria-hidden="true" className="mr-[1ch] text-accent select-none">
        ›
      </span>
    );
  }
  return (
    <span
      className={`max-w-full shrink-0 truncate text-(--fl-soft) select-none ${isApart ? 'mr-[1ch]' : ''}`}
      title={text}
    >
      {shortPrompt(text)}
    </span>
  );
}

/** What history would add, behind the caret; read out by nobody, taken with Right, End or Tab. */
function Ghost({ text, rest }: { text: string; rest: string }) {
  if (rest === '') return null;
  return (
    <div
      aria-hidden="true"
      className="pointer-events-none absolute inset-0 overflow-hidden break-words whitespace-pre-wrap"
    >
      <span className="invisible">{text}</span>
      <span className="text-(--fl-soft) opacity-70">{rest}</span>
    </div>
  );
}

/** Keeps the field as high as its text and its caret where the editor put it. */
function useCaret(field: InputLineProps['field'], value: string, caret: number | null): void {
  const last = useRef(value);
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    if (element instanceof HTMLTextAreaElement) {
      element.style.height = 'auto';
      element.style.height = `${Math.min(element.scrollHeight, innerHeight / 3)}px`;
    }
    if (last.current === value) return;
    last.current = value;
    if (caret !== null && document.activeElement === element && element.selectionStart !== caret) {
      element.setSelectionRange(caret, caret);
    }
  });
}
