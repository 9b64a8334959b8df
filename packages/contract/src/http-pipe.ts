/**
 * The byte socket's messages over HTTP, for a tab whose way out strips the WebSocket's Upgrade. Three requests, all POST
 * to `HTTP_PIPE_PATH`, all with the checks of the API (Origin, cookie) and told apart by `TURN_HEADER`:
 *
 *   open        answers 200 and the link's name as text
 *   up N        frames from the tab, numbered from 0, one request at a time; answers 204
 *   down N      waits until there is something to say, then answers with frames; numbered from 0, one at a time
 *
 * `up` and `down` carry the link's name in `LINK_HEADER`; names do not stand in URLs, which are logged on the way. A number that is
 * not the next one, or an answer that does not arrive, breaks the link; the pipe on it is resumed on another one, so the
 * guarantees are those of a WebSocket. It is POST both ways because a browser sends `Origin` with each of them, and
 * waiting in place of streaming because a proxy that strips an Upgrade may well hold an answer back until it is whole.
 */

/** Which of the three a request is: "open", "up 7", "down 7". */
export const TURN_HEADER = 'fairlead-turn';

/** The link a request belongs to. */
export const LINK_HEADER = 'fairlead-link';

/** Longest body either way, and one message more. */
export const MAX_TURN_BYTES = 1 << 20;

/** A message, or the end of the link with its closing code. */
export type Frame =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly code: number };

const KINDS = ['text', 'bytes', 'close'] as const;
const HEAD_BYTES = 5;

/** Frames as a body: for each one byte for the kind, four for the length (big-endian), and the content. */
export function encodeFrames(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  const contents = frames.map(contentOf);
  const body = new Uint8Array(contents.reduce((sum, content) => sum + HEAD_BYTES + content.length, 0));
  const view = new DataView(body.buffer);
  let at = 0;
  for (const [index, content] of contents.entries()) {
    view.setUint8(at, KINDS.indexOf(frames[index]?.kind ?? 'text'));
    view.setUint32(at + 1, content.length);
    body.set(content, at + HEAD_BYTES);
    at += HEAD_BYTES + content.length;
  }
  return body;
}

/** The frames of a body, as views of it; null when it is not made of whole ones. */
export function decodeFrames(body: Uint8Array): Frame[] | null {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const frames: Frame[] = [];
  for (let at = 0; at < body.length; ) {
    if (at + HEAD_BYTES > body.length) return null;
    const kind = KINDS[view.getUint8(at)];
    const end = at + HEAD_BYTES + view.getUint32(at + 1);
    if (kind === undefined || end > body.length) return null;
    const content = body.subarray(at + HEAD_BYTES, end);
    if (kind === 'bytes') frames.push({ kind, bytes: content });
    else if (kind === 'text') frames.push({ kind, text: new TextDecoder().decode(content) });
    else {
      const code = Number(new TextDecoder().decode(content));
      if (!Number.isInteger(code) || code < 1000 || code > 4999) return null;
      frames.push({ kind, code });
    }
    at = end;
  }
  return frames;
}

function contentOf(frame: Frame): Uint8Array {
  if (frame.kind === 'bytes') return frame.bytes;
  return new TextEncoder().encode(frame.kind === 'text' ? frame.text : String(frame.code));
}
