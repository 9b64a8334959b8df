import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { StartError } from './config.ts';

/**
 * Makes the data folder, for its owner only, or says in one sentence why it cannot be one. Folder by folder: Node's own
 * recursive mkdir never returns below a file system that makes no folders, such as /proc.
 * @throws StartError
 */
export function makeDataFolder(folder: string): void {
  try {
    makeFolder(resolve(folder));
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw cannotKeepData(folder, cause);
  }
}

/** The sentence for a folder in which nothing can be kept. */
export function cannotKeepData(folder: string, cause: unknown): StartError {
  return new StartError(`Cannot keep data in ${folder}: ${reasonOf(cause)}. Set FAIRLEAD_DATA to another folder.`, {
    cause,
  });
}

function makeFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found === undefined && dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EROFS') return 'the disk is read-only';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'part of the path is a file';
  if (code === 'ENOENT') return 'nothing can be made there';
  if (code === 'ENOSPC') return 'the disk is full';
  return cause instanceof Error ? cause.message : 'unknown reason';
}
