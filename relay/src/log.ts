import pino, { type DestinationStream } from 'pino';

/**
 * What a log line may say, all of it. INVARIANT: no field takes a header, a body, a URL, a cookie, a ticket, a code or a
 * byte of a session; hosts are those a policy has read. That is why a log can be handed to anyone who may know who
 * connected where.
 */
export interface LogFields {
  /** Number of a pipe, from 1 in each run. */
  readonly pipe?: number;
  readonly person?: string;
  readonly host?: string;
  readonly port?: number;
  /** How many proxies the road has. */
  readonly hops?: number;
  /** An error code of the protocol package, or a code of the operating system's. */
  readonly code?: string;
  /** The name of a route of the server's, an HTTP method or a rule that refused. */
  readonly what?: string;
  readonly status?: number;
  readonly ms?: number;
  readonly bytesUp?: number;
  readonly bytesDown?: number;
  readonly count?: number;
}

/** Names of events, so that a log can be searched. */
export type LogEvent =
  | 'relay.ready'
  | 'relay.draining'
  | 'relay.stopped'
  | 'relay.fault'
  | 'http.answered'
  | 'http.refused'
  | 'sign-in.accepted'
  | 'sign-in.refused'
  | 'sign-in.ended'
  | 'ticket.given'
  | 'ticket.refused'
  | 'script.fetched'
  | 'script.refused'
  | 'pipe.opened'
  | 'pipe.refused'
  | 'pipe.held'
  | 'pipe.resumed'
  | 'pipe.closed'
  | 'static.loaded';

/** The relay's log. */
export interface Log {
  debug(event: LogEvent, fields?: LogFields): void;
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
}

/** Writes JSON lines to `destination`, by default standard error, at once: what is logged before a crash is there. */
export function createLog(level: string, destination?: DestinationStream): Log {
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
  return {
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
  };
}
