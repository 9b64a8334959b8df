import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright';
import type { Bench } from './figure.ts';
import { startTestbedHost } from './hosts.ts';
import { openShell, startStage } from './page-kit.ts';

/** What a first visit may weigh, in KB of 1000 bytes. */
const FIRST_SCREEN_KB = 150;
const SESSION_PAGE_KB = 350;

/** Gzipped JavaScript that the first screen and a session really load. */
export const pageWeight: Bench = async (say) => {
  const host = await startTestbedHost();
  const stage = await startStage([host.port]).catch(async (error: unknown) => {
    await host.stop();
    throw error;
  });
  try {
    const person = await stage.newPerson();
    // What a shared worker fetches is told to nobody; where there is none, a dedicated one fetches the same.
    await person.page.addInitScript(() => void Reflect.deleteProperty(globalThis, 'SharedWorker'));
    const scripts = weigh(person.page);
    await person.page.goto('/', { waitUntil: 'networkidle' });
    const stranger = await scripts.kilobytes();
    await person.signIn(stage.relay.code);
    await person.page.waitForLoadState('networkidle');
    const home = await scripts.kilobytes();
    await openShell(person, host.port);
    await person.page.waitForLoadState('networkidle');
    const session = await scripts.kilobytes();
    const note = (what: string, count: number) =>
      `${what}, ${count} script responses in chromium, gzip level 9, nothing cached; noModule scripts are not loaded`;
    say({
      name: 'JavaScript of the first screen',
      value: home.kb,
      unit: 'KB gz',
      peer: 'goal',
      peerValue: FIRST_SCREEN_KB,
      note: note(`sign-in (${stranger.kb.toFixed(1)} KB) and home`, home.count),
    });
    say({
      name: 'JavaScript of the session page',
      value: session.kb,
      unit: 'KB gz',
      peer: 'goal',
      peerValue: SESSION_PAGE_KB,
      note: note('everything from a cold start to a prompt', session.count),
    });
  } finally {
    await stage.stop();
    await host.stop();
  }
};

/** Sums up every script a page loads from now on; one that is loaded again comes out of the browser's cache. */
function weigh(page: Page): { kilobytes(): Promise<{ kb: number; count: number }> } {
  const lengths = new Map<string, Promise<number>>();
  page.on('response', (response) => {
    const isScript = response.request().resourceType() === 'script' || /javascript/.test(typeOf(response.headers()));
    // A redirect has no body; where it leads is a response of its own.
    if (!isScript || response.status() !== 200 || lengths.has(response.url())) return;
    lengths.set(
      response.url(),
      response.body().then(
        (body) => gzipSync(body, { level: 9 }).length,
        () => Number.NaN,
      ),
    );
  });
  return {
    async kilobytes() {
      const known = await Promise.all(lengths.values());
      return { kb: known.reduce((sum, length) => sum + length, 0) / 1000, count: known.length };
    },
  };
}

function typeOf(headers: Readonly<Record<string, string>>): string {
  return headers['content-type'] ?? '';
}
