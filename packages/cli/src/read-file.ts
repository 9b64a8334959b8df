import { readFileSync } from 'node:fs';
import { UsageError } from './arguments.ts';

/**
 * Reads a file that an option of the command line names.
 * @throws UsageError that says in words why it cannot be read
 */
export function readNamedFile(file: string, option: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${option}: ${fileTrouble(error, file)}`, { cause: error });
  }
}

/** Why a file cannot be read or written, as a sentence. */
export function fileTrouble(error: unknown, file: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const words = TROUBLES[code];
  return words === undefined ? `${file} cannot be used (${code}).` : `${words.replace('FILE', () => file)}.`;
}

const TROUBLES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no file FILE',
  EISDIR: 'FILE is a folder, not a file',
  ENOTDIR: 'there is no file FILE',
  EACCES: 'FILE may not be opened by you',
  EPERM: 'FILE may not be opened by you',
  ELOOP: 'FILE is a symbolic link, which is not followed',
  ENAMETOOLONG: 'the name of the file is too long',
  ERR_FS_FILE_TOO_LARGE: 'FILE is too large',
  ENXIO: 'FILE is not a file',
};
