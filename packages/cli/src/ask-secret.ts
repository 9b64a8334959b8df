import { openSync } from 'node:fs';
import { ReadStream, WriteStream } from 'node:tty';

const ENTER = /[\r\n]/;
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const ERASE = /[\x7f\b]/;
const CTRL_U = '\x15';

/**
 * Asks on the controlling terminal, which works even when standard input is a pipe, and shows nothing of the answer.
 * Null when there is no terminal or the person gave up.
 */
export async function askSecret(question: string): Promise<string | null> {
  let input: ReadStream;
  let output: WriteStream;
  try {
    input = new ReadStream(openSync('/dev/tty', 'r'));
    output = new WriteStream(openSync('/dev/tty', 'w'));
  } catch {
    return null;
  }
  try {
    output.write(question);
    input.setRawMode(true);
    return await readHidden(input);
  } finally {
    input.setRawMode(false);
    output.write('\n');
    input.destroy();
    output.destroy();
  }
}

function readHidden(input: ReadStream): Promise<string | null> {
  return new Promise((resolve) => {
    let secret = '';
    input.setEncoding('utf8');
    input.once('end', () => resolve(null));
    input.on('data', (text) => {
      for (const character of String(text)) {
        if (ENTER.test(character)) resolve(secret);
        else if (character === CTRL_C || character === CTRL_D) resolve(null);
        else if (character === CTRL_U) secret = '';
        else if (ERASE.test(character)) secret = Array.from(secret).slice(0, -1).join('');
        else secret += character;
      }
    });
  });
}
