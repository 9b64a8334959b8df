/** What runs in the worker that reads proxy settings: one question, one answer. */
import { packError } from '../session/worker/messages.ts';
import type { SettingsReply } from './ask-settings.ts';
import { readSettings, type SettingsQuestion } from './settings-reading.ts';

addEventListener('message', ({ data }: MessageEvent<SettingsQuestion>) => postMessage(reply(data)));

function reply(question: SettingsQuestion): SettingsReply {
  try {
    return { reading: readSettings(question) };
  } catch (error) {
    return { error: packError(error) };
  }
}
