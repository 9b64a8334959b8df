import { PassThrough } from 'node:stream';

/** What a program writes, caught instead of shown. */
export interface Written {
  /** So far. */
  readonly written: { readonly stdout: string; readonly stderr: string };
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
}

/** Two streams for a program to write to, and what it wrote. */
export function catchWritten(): Written {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr'): PassThrough => {
    const through = new PassThrough();
    through.on('data', (bytes: Buffer) => {
      written[name] += bytes.toString('utf8');
    });
    return through;
  };
  return { written, stdout: stream('stdout'), stderr: stream('stderr') };
}
