/** What an application may import: open a session, look at what happened, and the words to speak of it. */
export type { Advice } from './advice.ts';
export { type Credential, MAX_CREDENTIAL_CHARACTERS, parseCredential, Secret } from './auth/credential.ts';
export type { AuthPolicy } from './auth/select.ts';
export { CODE_PAGES, encodeText, isCodePage, TextReader } from './codec/code-page.ts';
export { CLEAR, OutputFilter, plainText } from './codec/output-filter.ts';
export {
  type BadArgumentReason,
  type CertificateEvidence,
  ERROR_TABLE,
  type ErrorCode,
  type ErrorDetails,
  type Fate,
  fail,
  isWinRmError,
  type Party,
  type Recovery,
  WinRmError,
} from './errors.ts';
export { Journal, type JournalEntry, type JournalEvent, type LaneName, MAX_JOURNAL_ENTRIES } from './journal.ts';
export type { HopReport, OpenedRoad, ProxyAnswerer, ProxyChallenge, RoadLink, RoadOpener } from './opened-road.ts';
export type { Platform } from './platform.ts';
export {
  checkRoute,
  type Hop,
  MAX_HOPS,
  type ProxyRoute,
  parseProxy,
  printRoute,
  type RouteTarget,
} from './road/route.ts';
export {
  type AffinityFindings,
  type AffinityOptions,
  checkAffinity,
  DEFAULT_AFFINITY_REQUESTS,
  MAX_AFFINITY_REQUESTS,
} from './session/affinity.ts';
export type { TrustAnswer, TrustOptions, TrustQuestion } from './session/first-contact.ts';
export { type IdentifyOptions, identify, type Stranger } from './session/identify.ts';
export {
  ALL_PROXY_MECHANISMS,
  HIDING_PROXY_MECHANISMS,
  type ProxyCredential,
  type ProxyMechanism,
  type ProxySignInOptions,
  proxySignIn,
} from './session/proxy-sign-in.ts';
export { connectFirst, type RoadChoiceOptions } from './session/road-choice.ts';
export { type Reopening, Session, type SessionOptions } from './session/session.ts';
export type { SessionLink, SessionState, StepId } from './session/state.ts';
export {
  DEFAULT_PATH,
  DEFAULT_PORT,
  DEFAULT_TLS_PORT,
  parseTarget,
  printTarget,
  type Target,
  targetAuthority,
  targetUrl,
} from './session/target.ts';
export { CmdPromptReader, type PromptEvent } from './shell/cmd-prompt.ts';
export type { ExitCode, Interrupt, Standing } from './shell/shell.ts';
export { checkLine, checkShellOptions, MAX_COMMAND_CHARS, type ShellOptions } from './shell/shell-options.ts';
export {
  type ClientCertificate,
  type ClientCertificateWarning,
  clientCertificateWarnings,
  MAX_KEY_FILE_BYTES,
  openClientCertificate,
  readCertificates,
} from './tls/client-certificate.ts';
export { type PackedClientCertificate, packClientCertificate } from './tls/packed-certificate.ts';
export {
  addPin,
  exportPins,
  hasThumbprint,
  importPins,
  MAX_PINS,
  mergePins,
  NO_PINS,
  type PinStore,
  parseThumbprint,
  pinsFor,
  pinTarget,
  removePins,
  replacePins,
  type TargetPin,
} from './tls/pins.ts';
export { certificateEvidence, type PeerWarning, type Pin, pinOf, type TrustPolicy } from './tls/trust.ts';
export { unpackClientCertificate } from './tls/unpacked-certificate.ts';
export { type Certificate, parseCertificate, sha1Thumbprint, sha256Thumbprint } from './tls/x509.ts';
export { faultMeaning, faultMeanings } from './wsman/fault.ts';
export type { TrafficCounts } from './wsman/lane.ts';
export type { Identity, OutputChunk, OutputGap } from './wsman/operations.ts';
