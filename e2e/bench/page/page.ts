/** The product's terminal and shell, fed by a session in this thread or in a worker. */
import './page.css';
import type { OutputChunk, OutputGap } from '@fairlead/protocol';
import { LineHistory } from '../../../web/features/session/history.ts';
import { LiveShell, type ShellSession } from '../../../web/features/session/live-shell.ts';
import { TerminalScreen } from '../../../web/features/session/screen/terminal-screen.ts';
import type { OneCommand, ThreadRun } from '../thread-run.ts';
import { makeSession } from './one-command.ts';
import type { FromWorker, ToWorker } from './worker.ts';

interface Source {
  readonly session: ShellSession;
  readonly opened: Promise<void>;
  readonly close: () => Promise<void> | void;
}

window.runOutput = async (where, what) => {
  const source = where === 'main' ? inThisThread(what) : inWorker(what);
  await source.opened;
  const screen = new TerminalScreen();
  document.getElementById('place')?.replaceChildren(screen.element);
  screen.setLook({ palette: 'auto', theme: 'dark', fontPx: 14 }, { label: 'Output', hint: '' });
  screen.shown();
  const parts = { screen, history: new LineHistory(localStorage, 'bench'), language: 'en', command: what.command };
  const shell = new LiveShell({ ...parts, clock: () => performance.now(), kind: 'command' });
  const kept: Uint8Array[] = [];
  const watch = watchThread();
  const began = performance.now();
  await shell.run({ ...shellOf(source.session), output: keeping(source.session.output, kept) }, 65001);
  // The terminal parses and draws what it was given last in tasks of its own.
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
  const ms = performance.now() - began;
  const seen = watch.stop();
  await source.close();
  screen.dispose();
  const whole = new Uint8Array(await new Blob(kept as BlobPart[]).arrayBuffer());
  return { ms, bytes: whole.length, sha256: await sha256(whole), ...seen };
};

/** Only what a shell asks a session for while it takes output. */
function shellOf(session: ShellSession): ShellSession {
  const { state, journal, counts, lastRoundTripMs, promptWord } = session;
  return {
    ...{ state, journal, counts, lastRoundTripMs, promptWord, output: session.output },
    watch: () => () => undefined,
    open: () => session.open(),
    writeText: (text) => session.writeText(text),
    endInput: () => session.endInput(),
    interrupt: (how) => session.interrupt(how),
    close: () => session.close(),
  };
}

function inThisThread(what: OneCommand): Source {
  const session = makeSession(what);
  return { session, opened: session.open(), close: () => session.close() };
}

function inWorker(what: OneCommand): Source {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const say = (words: ToWorker) => worker.postMessage(words);
  const chunks: OutputChunk[] = [];
  let isOver = false;
  let wake = () => {};
  const opened = new Promise<void>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data === 'opened') resolve();
      else if (data === 'ended') isOver = true;
      else if ('failed' in data) reject(new Error(data.failed));
      else chunks.push(data);
      wake();
    };
  });
  async function* output(): AsyncGenerator<OutputChunk> {
    say('take');
    for (;;) {
      const chunk = chunks.shift();
      if (chunk !== undefined) {
        say('taken');
        yield chunk;
      } else if (isOver) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  say({ open: what });
  // Never opened: it lends its shape, and nothing of it is asked for but the output.
  const idle = makeSession(what);
  return { session: { ...shellOf(idle), output: output() }, opened, close: () => worker.terminate() };
}

type Output = ShellSession['output'];

async function* keeping(output: Output, kept: Uint8Array[]): AsyncGenerator<OutputChunk | OutputGap> {
  for await (const chunk of output) {
    kept.push(chunk.bytes);
    yield chunk;
  }
}

function watchThread(): { stop(): Pick<ThreadRun, 'longTaskMs' | 'frameMs'> } {
  const longTaskMs: number[] = [];
  const frameMs: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longTaskMs.push(entry.duration);
  });
  observer.observe({ type: 'longtask' });
  let last = performance.now();
  let isOn = true;
  const frame = (now: number) => {
    frameMs.push(now - last);
    last = now;
    if (isOn) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  return {
    stop() {
      isOn = false;
      observer.disconnect();
      return { longTaskMs, frameMs };
    },
  };
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
