import { connect, createServer, type Socket } from 'node:net';
import type { Page } from 'playwright';
import { type Bench, quantile } from './figure.ts';
import { startTestbedHost } from './hosts.ts';
import { openShell, startStage } from './page-kit.ts';

const KEYS = 120;
/** Faster than anybody types, slower than a frame. */
const BETWEEN_MS = 40;
/** Added to each direction of the road: 300 ms there and back. */
const SLOW_MS = 150;
/** One frame at 60 Hz. */
const GOAL_MS = 16;

/** From a key in the input line to the frame that shows it, near and with a slow road behind. */
export const keyToPaint: Bench = async (say) => {
  const host = await startTestbedHost();
  for (const delayMs of [0, SLOW_MS]) {
    const road = await startSlowRoad(host.port, delayMs);
    const stage = await startStage([road.port]).catch(async (error: unknown) => {
      await road.close();
      await host.stop();
      throw error;
    });
    try {
      const person = await stage.newPerson();
      await person.signIn(stage.relay.code);
      const page = await openShell(person, road.port);
      const { frames, slowEvents } = await typeKeys(page);
      const after = `${KEYS} keys, ${delayMs * 2} ms injected round trip`;
      say({
        name: `key to paint p99, ${delayMs * 2} ms road`,
        value: quantile(frames, 0.99),
        unit: 'ms',
        peer: 'one frame',
        peerValue: GOAL_MS,
        note: `${after}; event to the end of its frame, p50 ${quantile(frames, 0.5).toFixed(1)} ms; ${slowEvents} of them over 16 ms by Event Timing`,
      });
    } finally {
      await stage.stop();
      await road.close();
    }
  }
  await host.stop();
};

async function typeKeys(page: Page): Promise<{ frames: number[]; slowEvents: number }> {
  await page.evaluate(() => {
    window.benchKeys = { frames: [], slow: 0 };
    addEventListener(
      'keydown',
      (event) => {
        const { timeStamp } = event;
        requestAnimationFrame(() => {
          // A message is delivered after the frame has been handed to the compositor.
          const channel = new MessageChannel();
          channel.port1.onmessage = () => window.benchKeys.frames.push(performance.now() - timeStamp);
          channel.port2.postMessage(0);
        });
      },
      { capture: true },
    );
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name === 'keydown') window.benchKeys.slow += 1;
    }).observe({ type: 'event', durationThreshold: 17 } as PerformanceObserverInit);
  });
  for (let at = 0; at < KEYS; at += 1) {
    await page.keyboard.press(String.fromCharCode('a'.charCodeAt(0) + (at % 26)));
    await page.waitForTimeout(BETWEEN_MS);
  }
  await page.waitForTimeout(500);
  const { frames, slow } = await page.evaluate(() => window.benchKeys);
  return { frames, slowEvents: slow };
}

/** Forwards to a port of loopback, each byte so much later. */
async function startSlowRoad(port: number, delayMs: number): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes: Buffer) => setTimeout(() => to.writable && to.write(bytes), delayMs));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        setTimeout(() => to.destroy(), delayMs);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

declare global {
  interface Window {
    benchKeys: { frames: number[]; slow: number };
  }
}
