import type { IncomingMessage, ServerResponse } from 'node:http';
import { LINK_HEADER, MAX_MESSAGE_BYTES, MAX_TURN_BYTES, TURN_HEADER } from '@fairlead/contract';
import { hashToken, makeToken } from './access.ts';
import { HttpLink } from './http-link.ts';
import type { MessageSocket } from './message-socket.ts';
import type { OriginCheck } from './origin.ts';
import type { SignIn } from './store.ts';
import { sendText } from './web-headers.ts';

/** A body is whole messages, so it may be one message over; heads are small. */
const MAX_BODY_BYTES = MAX_TURN_BYTES + MAX_MESSAGE_BYTES;

/** What the door needs. */
export interface HttpPipeOptions {
  readonly origins: OriginCheck;
  readonly signInOf: (request: IncomingMessage) => SignIn | null;
  readonly isDraining: () => boolean;
  readonly accept: (socket: MessageSocket, signIn: SignIn) => void;
}

/** The byte socket's second door, for where no WebSocket passes: the same checks, the same messages, the same room. */
export class HttpPipeDoor {
  readonly #o: HttpPipeOptions;
  readonly #links = new Map<string, { readonly link: HttpLink; readonly signInId: string }>();

  constructor(options: HttpPipeOptions) {
    this.#o = options;
  }

  /** Answers a request to `HTTP_PIPE_PATH`. The `Host` has been judged. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('Cache-Control', 'no-store, no-transform');
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST');
      sendText(response, 405, 'Method not allowed\n');
      return;
    }
    if (!this.#o.origins.isOwnPage(request)) return refuse(response, 403);
    const signIn = this.#o.signInOf(request);
    if (signIn === null) return refuse(response, 401);
    const [verb, digits] = String(request.headers[TURN_HEADER] ?? '').split(' ');
    if (verb === 'open') {
      if (this.#o.isDraining()) return refuse(response, 503);
      sendText(response, 200, this.#open(signIn));
      return;
    }
    const found = this.#links.get(hashToken(String(request.headers[LINK_HEADER] ?? '')));
    if (found === undefined || found.signInId !== signIn.id || !/^[0-9]{1,15}$/.test(digits ?? '')) {
      return refuse(response, 404);
    }
    await this.#turn(found.link, verb ?? '', Number(digits), request, response);
  }

  async #turn(link: HttpLink, verb: string, count: number, request: IncomingMessage, response: ServerResponse) {
    if (verb === 'down') {
      request.resume();
      const body = await link.down(count, (onBroken) => {
        response.on('close', () => {
          if (!response.writableFinished) onBroken();
        });
      });
      if (typeof body === 'string') refuse(response, 409);
      else {
        response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': body.length });
        response.end(body);
      }
      return;
    }
    const body = verb === 'up' ? await readBody(request) : null;
    if (body === null || (await link.up(count, body)) === 'refused') {
      link.terminate();
      refuse(response, 409);
    } else response.writeHead(204).end();
  }

  #open(signIn: SignIn): string {
    const name = makeToken();
    const key = hashToken(name);
    const link = new HttpLink(() => this.#links.delete(key));
    this.#links.set(key, { link, signInId: signIn.id });
    this.#o.accept(link, signIn);
    return name;
  }
}

function refuse(response: ServerResponse, status: number): void {
  response.setHeader('Connection', 'close');
  sendText(response, status, 'Refused\n');
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
