/** What crosses the wire between tab and relay. */
export {
  API_PATHS,
  addressSchema,
  apiErrorSchema,
  type DemoInfo,
  demoSchema,
  hopSchema,
  MAX_HOPS,
  type MazeInfo,
  type ProxyScriptReply,
  proxyScriptReplySchema,
  proxyScriptRequestSchema,
  routeSchema,
  type Status,
  signInSchema,
  statusSchema,
  type TicketReply,
  type TicketRequest,
  ticketReplySchema,
  ticketRequestSchema,
} from './api.ts';
export { ChunkQueue } from './chunk-queue.ts';
export {
  BEAT_MS,
  CLOSE_CODES,
  HTTP_PIPE_PATH,
  MAX_MESSAGE_BYTES,
  MAX_SILENCE_MS,
  PIPE_PATH,
  type RelayError,
  type RelayErrorCode,
  readRelayError,
} from './codes.ts';
export { type RelayMessage, readRelayMessage, readTabMessage, type TabMessage } from './dial.ts';
export {
  decodeFrames,
  encodeFrames,
  type Frame,
  LINK_HEADER,
  MAX_TURN_BYTES,
  TURN_HEADER,
} from './http-pipe.ts';
export { base64url, type Lasting, type ResumeRound, resumeKey, resumeMac } from './resume.ts';
export { ACK_BYTES, ACK_DELAY_MS, ResumeLog, WINDOW_BYTES } from './resume-log.ts';
export {
  CODE_ALPHABET,
  CODE_CHARACTERS,
  demoPassword,
  hashProof,
  makeCode,
  normalizeCode,
  printCode,
  signInProof,
} from './sign-in-code.ts';
