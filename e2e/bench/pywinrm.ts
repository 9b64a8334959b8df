import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startChild } from './children.ts';

const SCRIPT = fileURLToPath(new URL('pywinrm_bench.py', import.meta.url));

/** What pywinrm's run came to. */
export interface PywinrmRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
  readonly code: number;
  readonly sha256: string;
}

/** Where and what pywinrm runs. */
export interface PywinrmOptions {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly command: string;
  /** URL of a proxy. pywinrm knows none but absolute form for an http target. */
  readonly proxy?: string;
}

/** Whether Debian's package is there. */
export function hasPywinrm(): boolean {
  return existsSync('/usr/lib/python3/dist-packages/winrm/protocol.py');
}

/** Runs one command with pywinrm. */
export async function runPywinrm(options: PywinrmOptions): Promise<PywinrmRun> {
  const { port, user, password, command, proxy } = options;
  const words = [SCRIPT, `http://127.0.0.1:${port}/wsman`, user, command, ...(proxy === undefined ? [] : [proxy])];
  const child = startChild('/usr/bin/python3', words, { BENCH_PASSWORD: password });
  const run: PywinrmRun = JSON.parse(await child.ended());
  return run;
}
