import {
  type ClientCertificate,
  type PackedClientCertificate,
  packClientCertificate,
  type TrustOptions,
} from '@fairlead/protocol';
import { FarSession, type WorkerLine } from './far-session.ts';
import { type FromWorker, type SessionMemo, type SessionOrder, type SessionWhole, unpackError } from './messages.ts';

/**
 * Has a session made in a worker that has said hello.
 * @throws misuse.bad-argument, and misuse.wrong-state when the worker fails; the worker has ended then
 */
export async function makeFarSession(
  line: WorkerLine,
  order: SessionOrder,
  certificate: ClientCertificate | null,
  ask: TrustOptions['ask'] | null,
  memo: SessionMemo | null = null,
): Promise<FarSession> {
  try {
    const packed = certificate && packClientCertificate(certificate);
    const promptWord = await new Promise<string>((resolve, reject) => {
      line.onFault(reject);
      line.listen((message) => {
        if (message.say === 'made') resolve(message.promptWord);
        else if (message.say === 'refused') reject(unpackError(message.error));
      });
      line.post({ say: 'make', order, certificate: packed, memo }, packed === null ? [] : secretsOf(packed));
    });
    return new FarSession(line, promptWord, ask, null);
  } catch (error) {
    line.cut();
    throw error;
  }
}

/** A worker that has a session and does not give it within this time will not. */
const ATTACH_WITHIN_MS = 5000;

/** Takes over the session of a worker that has one. Null when it does not hand it over. */
export async function takeFarSession(
  line: WorkerLine,
  ask: (whole: SessionWhole) => Promise<TrustOptions['ask'] | null>,
): Promise<{ readonly session: FarSession; readonly memo: SessionMemo } | null> {
  const early: FromWorker[] = [];
  const whole = await new Promise<SessionWhole | null>((resolve) => {
    const late = setTimeout(() => resolve(null), ATTACH_WITHIN_MS);
    line.onFault(() => resolve(null));
    line.listen((message) => {
      if (message.say !== 'attached') early.push(message);
      else {
        clearTimeout(late);
        resolve(message.whole);
      }
    });
    line.post({ say: 'attach' });
  });
  if (whole === null) return null;
  const asking = await ask(whole);
  const session = new FarSession(line, whole.promptWord, asking, whole);
  for (const message of early) session.hear(message);
  return { session, memo: whole.memo };
}

/** The memory that holds a key: handed over, it is gone from the page. */
function secretsOf({ key }: PackedClientCertificate): ArrayBuffer[] {
  return (key.kind === 'rsa' ? Object.values(key.numbers) : [key.scalar]).map(({ buffer }) => buffer);
}
