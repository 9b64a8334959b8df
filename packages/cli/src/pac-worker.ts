/** What runs in the thread that asks a PAC script: one question, one answer. */
import { parentPort, workerData } from 'node:worker_threads';
import { isWinRmError } from '@fairlead/protocol';
import { evaluatePac } from '@fairlead/protocol/proxy-settings';
import type { PacQuestion, PacReply } from './ask-pac.ts';

function reply({ script, target, nowMs }: PacQuestion): PacReply {
  try {
    return { verdict: evaluatePac(script, target, { nowMs }) };
  } catch (error) {
    if (!isWinRmError(error)) throw error;
    const { code, details } = error;
    return { error: { code, details } };
  }
}

parentPort?.postMessage(reply(workerData as PacQuestion));
