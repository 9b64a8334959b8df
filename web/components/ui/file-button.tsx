'use client';

import { useRef } from 'react';
import { Button } from './button.tsx';
import type { IconName } from './icons.tsx';

/** What was chosen: names and contents. The bytes stay in this tab. */
export interface ChosenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A button that lets the browser ask for files and reads them here. Files past `maxBytes` are read only so far. */
export function FileButton({
  children,
  icon,
  accept,
  maxBytes,
  name,
  describedBy,
  onChoose,
}: {
  children: string;
  icon?: IconName;
  /** As the attribute of the same name. */
  accept: string;
  maxBytes: number;
  /** Lets a form find the button when it has to be pressed. */
  name?: string;
  describedBy?: string | undefined;
  onChoose: (files: readonly ChosenFile[]) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const take = async (list: FileList | null) => {
    const files = [...(list ?? [])].slice(0, MAX_FILES);
    if (files.length === 0) return;
    // One byte more than allowed: whoever reads the file says that it is too large.
    const read = async (file: File): Promise<ChosenFile> => ({
      name: file.name,
      bytes: new Uint8Array(await file.slice(0, maxBytes + 1).arrayBuffer()),
    });
    onChoose(await Promise.all(files.map(read)));
    if (input.current) input.current.value = '';
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        tabIndex={-1}
        accept={accept}
        onChange={(event) => void take(event.target.files)}
      />
      <Button
        {...(icon && { icon })}
        {...(name && { name })}
        aria-describedby={describedBy}
        onClick={() => input.current?.click()}
      >
        {children}
      </Button>
    </>
  );
}

const MAX_FILES = 10;
