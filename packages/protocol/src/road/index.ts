/** What the relay may import of the protocol: the road, and the words its errors and reports are made of. */
export { type Address, type ByteStream, type DialedStream, type Dialer, withLeftover } from '../bytes/stream.ts';
export {
  type BadArgumentReason,
  ERROR_TABLE,
  type ErrorCode,
  type ErrorDetails,
  fail,
  isWinRmError,
  WinRmError,
} from '../errors.ts';
export type { HopReport, OpenedRoad, ProxyAnswerer, ProxyChallenge } from '../opened-road.ts';
export type { Platform } from '../platform.ts';
export { isHost, isPort, printAuthority, splitAuthority } from './authority.ts';
export { ForwardGuard } from './forward-guard.ts';
export {
  checkRoute,
  type Hop,
  MAX_HOPS,
  type ProxyRoute,
  parseProxy,
  printRoute,
  type RouteTarget,
} from './route.ts';
export { TlsGuard } from './tls-guard.ts';
export { DEFAULT_HOP_TIMEOUT_MS, type SecureHop, type WalkOptions, walkRoad } from './walk.ts';
