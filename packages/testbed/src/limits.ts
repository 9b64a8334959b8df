/** What a host allows. Defaults are those of Windows Server 2012 and newer: `winrm get winrm/config`. */
export interface HostLimits {
  readonly maxShellsPerUser: number;
  /** MaxProcessesPerShell: commands of one shell that were not yet terminated. */
  readonly maxCommandsPerShell: number;
  /** Requests of one user in flight at once. */
  readonly maxOperationsPerUser: number;
  /** Of the envelope, unsealed; MaxEnvelopeSizekb is this over 1024. */
  readonly maxEnvelopeBytes: number;
  /** MaxTimeoutms: the longest OperationTimeout granted, also to clients that name none. */
  readonly maxTimeoutMs: number;
  readonly maxConnections: number;
  /** How long a shell lives that nobody uses, unless its client asks for less. */
  readonly shellIdleTimeoutMs: number;
  /** The least a client may ask for. */
  readonly minShellIdleTimeoutMs: number;
}

/** The limits of a host that is told nothing else. */
export const DEFAULT_LIMITS: HostLimits = {
  maxShellsPerUser: 30,
  maxCommandsPerShell: 25,
  maxOperationsPerUser: 1500,
  maxEnvelopeBytes: 500 * 1024,
  maxTimeoutMs: 60_000,
  maxConnections: 300,
  shellIdleTimeoutMs: 7_200_000,
  minShellIdleTimeoutMs: 60_000,
};
