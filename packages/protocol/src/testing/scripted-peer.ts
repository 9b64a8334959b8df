import { latin1Decode, latin1Encode } from '../bytes/bytes.ts';
import type { ByteStream } from '../bytes/stream.ts';
import { type DecodedRequest, RequestDecoder } from '../http/request-decoder.ts';

/** One line of a script. Bytes are given as they are or as one character per byte. */
export type ScriptStep =
  /** Waits for exactly these bytes, or for text that the pattern finds at the front. */
  | { readonly expect: Uint8Array | string | RegExp }
  /** Waits for one whole HTTP request and looks at it; a returned string or array is sent. */
  | { readonly request: (request: DecodedRequest) => Uint8Array | string | undefined }
  | { readonly send: Uint8Array | string }
  /** No more bytes from the peer; it still reads. */
  | { readonly end: true }
  /** The peer is gone. */
  | { readonly destroy: true };

/** What a script saw. */
export interface ScriptOutcome {
  readonly requests: readonly DecodedRequest[];
}

/**
 * Plays the peer's part at the far side of a stream. Rejects when the other side does not keep to the script, so a test
 * awaits it beside what it tests.
 */
export async function scriptedPeer(stream: ByteStream, script: readonly ScriptStep[]): Promise<ScriptOutcome> {
  const requests: DecodedRequest[] = [];
  let unread = new Uint8Array(0);
  const more = async (wanted: string): Promise<void> => {
    const bytes = await stream.read();
    if (bytes === null) throw new Error(`The stream ended while the script waited for ${wanted}`);
    unread = Uint8Array.from([...unread, ...bytes]);
  };
  for (const step of script) {
    if ('send' in step) await stream.write(toBytes(step.send));
    else if ('end' in step) await stream.end();
    else if ('destroy' in step) stream.destroy();
    else if ('request' in step) {
      const decoder = new RequestDecoder();
      let request: DecodedRequest | 'need-bytes';
      decoder.feed(unread);
      unread = new Uint8Array(0);
      for (request = decoder.next(); request === 'need-bytes'; request = decoder.next()) {
        await more('a request');
        decoder.feed(unread);
        unread = new Uint8Array(0);
      }
      unread = Uint8Array.from(decoder.takeLeftover());
      requests.push(request);
      const answer = step.request(request);
      if (answer !== undefined) await stream.write(toBytes(answer));
    } else {
      let length = matchLength(step.expect, unread);
      for (; length === null; length = matchLength(step.expect, unread)) await more(String(step.expect));
      unread = unread.slice(length);
    }
  }
  return { requests };
}

function toBytes(value: Uint8Array | string): Uint8Array {
  return typeof value === 'string' ? latin1Encode(value) : value;
}

/** How many bytes at the front satisfy the expectation, or null while more may come. */
function matchLength(expected: Uint8Array | string | RegExp, unread: Uint8Array): number | null {
  const text = latin1Decode(unread);
  if (expected instanceof RegExp) {
    const match = expected.exec(text);
    return match?.index === 0 ? match[0].length : null;
  }
  const wanted = typeof expected === 'string' ? expected : latin1Decode(expected);
  const common = Math.min(wanted.length, text.length);
  if (text.slice(0, common) !== wanted.slice(0, common)) {
    throw new Error(`The script expected ${JSON.stringify(wanted)} but got ${JSON.stringify(text)}`);
  }
  return text.length >= wanted.length ? wanted.length : null;
}
