export type { Account } from './accounts.ts';
export {
  type CertificateText,
  makeCertificate,
  type Thumbprints,
  type TlsIdentity,
  thumbprintsOf,
} from './certificate.ts';
export type { CbtHardening } from './channel-binding.ts';
export { type ConnectProxy, type ConnectProxyOptions, type ProxyEvent, startConnectProxy } from './connect-proxy.ts';
export { type CrookedEvent, CrookedJournal } from './crooked/crooked-journal.ts';
export {
  type Crookedness,
  type CrookedProxy,
  type CrookedProxyOptions,
  startCrookedProxy,
} from './crooked/crooked-proxy.ts';
export { type Demo, type DemoOptions, type DemoPlace, startDemo } from './demo.ts';
export type { ConnectionSummary, HostEntry, HostEvent } from './journal.ts';
export { HostJournal } from './journal.ts';
export { DEFAULT_LIMITS, type HostLimits } from './limits.ts';
export type { HttpsFacts, HttpsOptions } from './listener.ts';
export type { Misbehaviour } from './misbehaviour.ts';
export { FAULT_CODE } from './soap-fault.ts';
export type { ClientCertificateDemand, TlsProfile } from './tls-profile.ts';
export { startUpgradeStripper, type UpgradeStripper } from './upgrade-stripper.ts';
export { startWinRmHost, type WinRmHost, type WinRmHostOptions } from './winrm-host.ts';
