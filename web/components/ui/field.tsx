'use client';

import { type ComponentProps, type ReactNode, useId } from 'react';
import { Icon } from './icons.tsx';

const BOX =
  'w-full rounded-control border bg-sunken px-2.5 text-ink placeholder:text-ink-soft min-h-control ' +
  'disabled:opacity-60 aria-invalid:border-bad border-line-strong';

/** A label, a control, and beneath it the hint or the error, tied to the control for screen readers. */
function Field({
  label,
  hint,
  error,
  aside,
  className = '',
  children,
}: {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
  aside?: ReactNode;
  className?: string;
  children: (ties: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': true | undefined;
  }) => ReactNode;
}) {
  const id = useId();
  const isTold = Boolean(hint) || Boolean(error);
  return (
    <div className={`min-w-0 ${className}`}>
      <div className="mb-1 flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="text-sm font-medium">
          {label}
        </label>
        {aside}
      </div>
      {children({
        id,
        'aria-describedby': isTold ? `${id}-told` : undefined,
        'aria-invalid': error ? true : undefined,
      })}
      {isTold && (
        <p id={`${id}-told`} className={`mt-1 text-sm ${error ? 'text-bad' : 'text-ink-soft'}`}>
          {error ? (
            <span className="inline-flex gap-1.5">
              <Icon name="warning" className="mt-0.5" />
              <span>{error}</span>
            </span>
          ) : (
            hint
          )}
        </p>
      )}
    </div>
  );
}

type FieldWords = { label: ReactNode; hint?: ReactNode; error?: ReactNode; aside?: ReactNode; fieldClass?: string };

/** Written as it is typed: what goes in is names, codes and commands, not prose. */
const AS_TYPED = { autoComplete: 'off', autoCapitalize: 'none', autoCorrect: 'off', spellCheck: false } as const;

type TextWords = FieldWords & { isCode?: boolean };

/** What fields of text have in common: the words go to the field, the rest to the control. */
function textParts<Rest>({
  label,
  hint,
  error,
  aside,
  fieldClass = '',
  isCode = false,
  className = '',
  ...rest
}: Rest & TextWords & { className?: string | undefined }) {
  return {
    field: { label, hint, error, aside, className: fieldClass },
    control: { ...AS_TYPED, className: `${BOX} ${isCode ? 'font-mono text-sm' : ''} ${className}`, ...rest },
  };
}

/** One line of text. `isCode` sets it in the mono face: addresses, codes, paths. */
export function TextField(props: ComponentProps<'input'> & TextWords) {
  const { field, control } = textParts(props);
  return <Field {...field}>{(ties) => <input type="text" {...control} {...ties} />}</Field>;
}

/** Several lines of text. */
export function AreaField({ className = '', ...props }: ComponentProps<'textarea'> & TextWords) {
  const { field, control } = textParts({ ...props, className: `block py-1.5 ${className}` });
  return <Field {...field}>{(ties) => <textarea {...control} {...ties} />}</Field>;
}

/** A choice from a list that the browser draws. */
export function SelectField({
  label,
  hint,
  error,
  aside,
  fieldClass,
  className = '',
  children,
  ...rest
}: ComponentProps<'select'> & FieldWords) {
  return (
    <Field label={label} hint={hint} error={error} aside={aside} className={fieldClass ?? ''}>
      {(ties) => (
        <span className="relative block">
          <select className={`${BOX} appearance-none pr-8 ${className}`} {...rest} {...ties}>
            {children}
          </select>
          <Icon name="down" className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2 text-ink-soft" />
        </span>
      )}
    </Field>
  );
}

/** A few choices side by side; arrows move between them as in any group of radio buttons. */
export function ChoiceField<Value extends string>({
  label,
  hint,
  value,
  choices,
  onChoose,
  className = '',
}: {
  label: ReactNode;
  hint?: ReactNode;
  value: Value;
  choices: readonly { value: Value; label: ReactNode }[];
  onChoose: (value: Value) => void;
  className?: string;
}) {
  const name = useId();
  return (
    <fieldset className={`min-w-0 ${className}`} aria-describedby={hint ? `${name}-told` : undefined}>
      <legend className="mb-1 text-sm font-medium">{label}</legend>
      <div className="flex flex-wrap rounded-control border border-line-strong bg-sunken p-0.5">
        {choices.map((choice) => (
          <label
            key={choice.value}
            data-checked={choice.value === value}
            className="relative flex min-h-[calc(var(--control)-6px)] grow cursor-pointer items-center justify-center rounded-[4px] border border-transparent px-2.5 text-center text-sm font-medium text-ink-soft duration-[120ms] hover:text-ink has-checked:border-line-strong has-checked:bg-surface has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              value={choice.value}
              checked={choice.value === value}
              onChange={() => onChoose(choice.value)}
              className="absolute inset-0 cursor-pointer appearance-none opacity-0"
            />
            {choice.label}
          </label>
        ))}
      </div>
      {hint && (
        <p id={`${name}-told`} className="mt-1 text-sm text-ink-soft">
          {hint}
        </p>
      )}
    </fieldset>
  );
}

/** A box to tick, with its words at the right. */
export function CheckField({
  label,
  hint,
  className = '',
  ...rest
}: Omit<ComponentProps<'input'>, 'type'> & { label: ReactNode; hint?: ReactNode }) {
  const id = useId();
  return (
    <div className={`flex gap-2.5 ${className}`}>
      <input
        id={id}
        type="checkbox"
        aria-describedby={hint ? `${id}-told` : undefined}
        className="mt-0.5 size-4 shrink-0 accent-accent pointer-coarse:size-6"
        {...rest}
      />
      <div className="min-w-0">
        <label htmlFor={id} className="block cursor-pointer text-sm font-medium pointer-coarse:min-h-11">
          {label}
        </label>
        {hint && (
          <p id={`${id}-told`} className="text-sm text-ink-soft">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
