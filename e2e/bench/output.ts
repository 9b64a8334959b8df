import { createHash } from 'node:crypto';
import { makeRun } from '../interop/run-session.ts';
import { RIG_ACCOUNT } from '../peers/peers.ts';
import { type Bench, median } from './figure.ts';
import { type Host, startGssHost, startTestbedHost } from './hosts.ts';
import { hasPywinrm, runPywinrm } from './pywinrm.ts';

/** As much as is asked for. */
export const OUTPUT_BYTES = 50_000_000;
const ROUNDS = 3;
const LINE = 'The quick brown fox jumps over the lazy dog, 0123456789 times.\n';

/** Prints `OUTPUT_BYTES` of text in short lines. */
export const OUTPUT_COMMAND = `yes '${LINE.trimEnd()}' | head -c ${OUTPUT_BYTES}`;

/** SHA-256 of what `OUTPUT_COMMAND` prints, lower-case hex. */
export function outputHash(): string {
  const whole = LINE.repeat(Math.ceil(OUTPUT_BYTES / LINE.length)).slice(0, OUTPUT_BYTES);
  return createHash('sha256').update(whole).digest('hex');
}

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly sha256: string;
}

/** 50 MB of a command's output, unsealed and in the consumer's hands, beside pywinrm on the same host. */
export const output: Bench = async (say) => {
  for (const start of [startTestbedHost, startGssHost]) {
    const host = await start();
    try {
      const ours: Run[] = [];
      const theirs: Run[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        ours.push(await runOurs(host));
        if (hasPywinrm()) theirs.push(await runPywinrm({ port: host.port, ...RIG_ACCOUNT, command: OUTPUT_COMMAND }));
      }
      const expected = outputHash();
      if ([...ours, ...theirs].some((run) => run.sha256 !== expected)) throw new Error('the output is not the same');
      const rate = (runs: readonly Run[]) => median(runs.map((run) => OUTPUT_BYTES / 1e6 / run.seconds));
      const cost = (runs: readonly Run[]) => median(runs.map((run) => run.cpuSeconds / (OUTPUT_BYTES / 1e6))) * 1000;
      const known = (value: number) => (theirs.length === 0 ? null : value);
      const common = { peer: 'pywinrm', note: `median of ${ROUNDS}, interleaved, SHA-256 of 50 MB verified` };
      say({ ...common, name: `output, ${host.name}`, value: rate(ours), unit: 'MB/s', peerValue: known(rate(theirs)) });
      say({
        ...common,
        name: `client CPU per MB of output, ${host.name}`,
        value: cost(ours),
        unit: 'ms',
        peerValue: known(cost(theirs)),
      });
    } finally {
      await host.stop();
    }
  }
};

/** Timed as pywinrm is: from the command's start to the last byte. */
async function runOurs(host: Host): Promise<Run> {
  const { session, finish } = makeRun({ target: `127.0.0.1:${host.port}`, command: OUTPUT_COMMAND });
  try {
    await session.open();
    const began = performance.now();
    const cpuBegan = process.cpuUsage();
    const { stdout } = await finish();
    const cpu = process.cpuUsage(cpuBegan);
    const seconds = (performance.now() - began) / 1000;
    const sha256 = createHash('sha256').update(stdout).digest('hex');
    return { seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6, sha256 };
  } finally {
    await session.close();
  }
}
