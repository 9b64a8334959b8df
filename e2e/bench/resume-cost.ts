import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ResumeLog, WINDOW_BYTES } from '@fairlead/contract';
import type { WebSocket } from 'ws';
import { startChild } from './children.ts';
import { type Bench, median, quantile } from './figure.ts';
import { measureDown, measureEcho, measureUp, type NearEnd, overWebSocket } from './near-end.ts';
import { startRelay } from './own-relay.ts';
import { PACED_CHUNKS } from './pattern.ts';

const FAR_END = fileURLToPath(new URL('far-end.ts', import.meta.url));
const MIB_PER_RUN = 256;
const ROUNDS = 5;
const PINGS = 1000;

/**
 * What it costs that a pipe can be resumed: the same relay, once plain and once with counts, log and acknowledgements.
 * The two ends pace themselves, so that the limits at which either pipe holds back are never met and both ways have the
 * same few chunks on their way. What is left between them is the work.
 */
export const resumeCost: Bench = async (say) => {
  const far = startChild(process.execPath, [FAR_END]);
  const port = Number(await far.printed(/READY (\d+)/));
  const relay = await startRelay({ targets: [port] });
  const plain = noFigures();
  const resumable = noFigures();
  try {
    const cookie = await relay.signIn();
    const ways = [
      [plain, async () => overWebSocket(await relay.openTunnel(cookie, port))],
      [resumable, async () => overResumable(await relay.openTunnel(cookie, port, { isResumable: true }))],
    ] as const;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [figures, open] of ways) {
        for (const [side, measure] of [['down', measureDown] as const, ['up', measureUp] as const]) {
          const before = cpuMs(relay.pid);
          figures[side].push(await once(open, (near) => measure(near, MIB_PER_RUN, true)));
          figures.cpu[side].push(((cpuMs(relay.pid) - before) * 1024) / MIB_PER_RUN);
        }
        figures.echo.push(...(await once(open, (near) => measureEcho(near, PINGS))).slice(PINGS / 10));
      }
    }
  } finally {
    await relay.stop();
    await far.stop();
  }
  const note = `median of ${ROUNDS} × ${MIB_PER_RUN} MiB, interleaved, SHA-256 verified, ${PACED_CHUNKS} × 64 KiB on their way in both`;
  for (const side of ['down', 'up'] as const) {
    const [value, peerValue] = [median(resumable[side]), median(plain[side])];
    say({ name: `resumable pipe ${side}`, value, unit: 'MB/s', peer: 'plain pipe', peerValue, note });
    say({
      ...{ name: `resumable pipe ${side}, work`, value: median(resumable.cpu[side]), unit: 'ms/GiB' },
      ...{ peer: 'plain pipe', peerValue: median(plain.cpu[side]) },
      note: 'processor time of the relay and of the near end, which others on the machine disturb less',
    });
  }
  for (const q of [0.5, 0.99]) {
    const [value, peerValue] = [quantile(resumable.echo, q), quantile(plain.echo, q)];
    const name = `resumable pipe echo p${q * 100}`;
    say({
      name,
      value,
      unit: 'ms',
      peer: 'plain pipe',
      peerValue,
      note: `1 byte there and back, ${ROUNDS * PINGS} times`,
    });
  }
};

function noFigures() {
  const none = (): number[] => [];
  return { down: none(), up: none(), echo: none(), cpu: { down: none(), up: none() } };
}

/** What a process and this one have used of the processor, in ms; the kernel counts in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const { user, system } = process.cpuUsage();
  return (Number(fields[11]) + Number(fields[12])) * 10 + (user + system) / 1000;
}

async function once<Result>(open: () => Promise<NearEnd>, work: (near: NearEnd) => Promise<Result>): Promise<Result> {
  const near = await open();
  try {
    return await work(near);
  } finally {
    near.close();
  }
}

/** The least a tab's end does: keeps what it sends, counts what it takes. */
function overResumable(socket: WebSocket): NearEnd {
  const log = new ResumeLog();
  let wake = () => {};
  socket.on('message', (content: Buffer, isBinary) => {
    if (isBinary) return;
    const message = JSON.parse(content.toString('utf8')) as { type: string; count?: number };
    if (message.type === 'ack' && message.count !== undefined && log.acknowledge(message.count)) wake();
  });
  return {
    async send(bytes) {
      while (log.underWay + bytes.length > WINDOW_BYTES) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      log.send(bytes);
      socket.send(bytes, { binary: true });
    },
    onBytes(listener) {
      socket.on('message', (content: Buffer, isBinary) => {
        if (!isBinary) return;
        log.receive(content.length);
        log.take(content.length);
        const count = log.acknowledgement(true);
        if (count !== null) socket.send(JSON.stringify({ type: 'ack', count }));
        listener(content);
      });
    },
    close: () => socket.terminate(),
  };
}
