export type { Account } from './accounts.ts';
export { type ConnectProxy, type ConnectProxyOptions, type ProxyEvent, startConnectProxy } from './connect-proxy.ts';
export { type Demo, type DemoOptions, type DemoPlace, startDemo } from './demo.ts';
export type { ConnectionSummary, HostEntry, HostEvent } from './journal.ts';
export { HostJournal } from './journal.ts';
export { DEFAULT_LIMITS, type HostLimits } from './limits.ts';
export type { Misbehaviour } from './misbehaviour.ts';
export { FAULT_CODE } from './soap-fault.ts';
export { startWinRmHost, type WinRmHost, type WinRmHostOptions } from './winrm-host.ts';
