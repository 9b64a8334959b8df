import type { RawData } from 'ws';
import type { PipeSocket } from './pipe.ts';

/** What carries messages of the contract both ways: a WebSocket, or HTTP requests that stand for one. */
export interface MessageSocket extends PipeSocket {
  readonly readyState: number;
  readonly OPEN: number;
  send(message: string): void;
  send(message: Uint8Array | string, options: { binary: boolean }, onSent?: () => void): void;
  on(event: 'message', listener: (content: RawData, isBinary: boolean) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  on(event: 'close', listener: (code: number) => void): unknown;
  close(code: number): void;
  terminate(): void;
}
