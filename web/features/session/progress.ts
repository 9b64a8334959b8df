import type { HopReport, JournalEntry, LaneName, ProxyRoute, SessionState, ShellOptions } from '@fairlead/protocol';
import {
  type HopView,
  READABLE_OVER_HTTP,
  READABLE_OVER_TLS,
  READABLE_WHEN_SEALED,
} from '../../components/hop-view.ts';

/** One step from a click to a prompt, as the stepper shows it. */
export interface StepView {
  readonly id: string;
  /** Full message key. */
  readonly labelKey: string;
  readonly params: Record<string, string | number>;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** Milliseconds the step took, or null while unknown. */
  readonly ms: number | null;
}

/** What progress is told from. */
export interface ProgressFacts {
  /** Host and port of the relay that serves the page. */
  readonly relay: string;
  /** Host and port of the target. */
  readonly server: string;
  readonly scheme: 'http' | 'https';
  readonly route: ProxyRoute;
  readonly shell: ShellOptions['kind'];
  readonly state: SessionState;
  /** The journal of this attempt. */
  readonly entries: readonly JournalEntry[];
}

/** What TLS settled with the server, as far as a person wants to know. */
export interface TlsFacts {
  /** "1.2" or "1.3". */
  readonly version: string;
  readonly suite: string;
  readonly group: string;
  /** SHA-256 of the server's certificate, upper-case hexadecimal. */
  readonly sha256: string;
  /** What vouches for the server: a pin, an imported root, or a person for this session only. */
  readonly trustedBy: 'pin' | 'root' | 'once';
  /** Milliseconds the handshake took, a person's judgement not counted. */
  readonly ms: number;
}

/** What progress tells. */
export interface Progress {
  readonly steps: readonly StepView[];
  readonly hops: readonly HopView[];
  /** Null before TLS stands, and without TLS. */
  readonly tls: TlsFacts | null;
}

/** The steps of an attempt with their times, and the hops of its road. Pure: the journal and the state say it all. */
export function progressOf(facts: ProgressFacts): Progress {
  const tls = tlsFacts(facts);
  const steps = stepPlan(facts);
  const ends = stepEnds(facts, steps);
  const failure = failureOf(facts.state);
  const current = facts.state.at === 'idle' ? 0 : ends.indexOf(null);
  const views = steps.map((step, at): StepView => {
    const end = ends[at] ?? null;
    const begin = at === 0 ? 0 : (ends[at - 1] ?? null);
    const isDone = end !== null;
    const state = isDone ? 'done' : at !== current ? 'waiting' : failure ? 'failed' : 'running';
    const ms = isDone && begin !== null ? Math.max(0, end - begin) : null;
    // A person may think about a certificate for an hour; that is not how long TLS took.
    return { ...step, state, ms: step.id === 'secure' && tls !== null ? tls.ms : ms };
  });
  return { steps: views, hops: hopViews(facts, views), tls };
}

function tlsFacts(facts: ProgressFacts): TlsFacts | null {
  const lane = leadingLane(facts);
  const isPinnedNow = facts.entries.some(({ what }) => what.event === 'trust' && what.what === 'pin');
  for (const { what } of facts.entries) {
    if (what.event !== 'tls' || what.lane !== lane) continue;
    const { version, suite, group, sha256, trustedBy, ms } = what;
    return {
      version,
      suite,
      group,
      sha256,
      trustedBy: trustedBy !== 'person' ? trustedBy : isPinnedNow ? 'pin' : 'once',
      ms,
    };
  }
  return null;
}

type StepPlan = Pick<StepView, 'id' | 'labelKey' | 'params'>;

function stepPlan(facts: ProgressFacts): StepPlan[] {
  const { hops } = facts.route;
  const lastProxy = hops.at(-1);
  const isForward = lastProxy?.kind === 'http-forward';
  return [
    { id: 'relay', labelKey: 'session.steps.relay', params: { name: facts.relay } },
    ...hops.map((hop, at) => ({
      id: `proxy-${at + 1}`,
      labelKey: 'session.steps.proxy',
      params: { name: `${hop.host}:${hop.port}` },
    })),
    {
      id: 'server',
      labelKey: isForward ? 'session.steps.forward' : hops.length > 0 ? 'session.steps.tunnel' : 'session.steps.server',
      params: { name: facts.server },
    },
    ...(facts.scheme === 'https' ? [secureStep(facts)] : []),
    { id: 'sign-in', labelKey: 'session.steps.signIn', params: { legs: legCount(facts) } },
    { id: 'shell', labelKey: 'session.steps.shell', params: {} },
    {
      id: 'command',
      labelKey: facts.shell === 'interactive' ? 'session.steps.prompt' : 'session.steps.command',
      params: {},
    },
  ];
}

function secureStep(facts: ProgressFacts): StepPlan {
  const tls = tlsFacts(facts);
  if (facts.state.at === 'judging') return { id: 'secure', labelKey: 'session.steps.judging', params: {} };
  if (tls === null) return { id: 'secure', labelKey: 'session.steps.securing', params: {} };
  return {
    id: 'secure',
    labelKey: 'session.steps.secured',
    params: { version: tls.version, suite: shortSuite(tls.suite), trust: tls.trustedBy },
  };
}

/** A suite's name without what they all share: "AES-128-GCM", "ECDHE-RSA-AES-128-GCM". RFC 8446, appendix B.4 */
export function shortSuite(suite: string): string {
  return suite
    .replace(/^TLS_/, '')
    .replace('_WITH_', '_')
    .replace(/_SHA\d*$/, '')
    .replaceAll('_', '-')
    .replace('-POLY1305', '-Poly1305')
    .replace('CHACHA20', 'ChaCha20');
}

/** When each step ended, on the journal's clock; null for those that have not. */
function stepEnds(facts: ProgressFacts, steps: readonly StepPlan[]): (number | null)[] {
  const reports = hopReports(facts);
  const stateAt = (...names: readonly string[]) => {
    for (const { ms, what } of facts.entries) if (what.event === 'state' && names.includes(what.state)) return ms;
    return null;
  };
  const secure = stateAt('securing', 'judging');
  const signIn = stateAt('authenticating', 'opening-shell', 'starting-command', 'ready');
  const shell = stateAt('opening-shell', 'starting-command', 'ready');
  const command = stateAt('starting-command', 'ready');
  const ready = stateAt('ready');
  return steps.map((step) => {
    if (step.id === 'secure') return signIn;
    if (step.id === 'sign-in') return shell;
    if (step.id === 'shell') return command;
    if (step.id === 'command') return ready;
    const hop = step.id === 'relay' ? 0 : step.id === 'server' ? facts.route.hops.length + 1 : hopNumber(step.id);
    // A hop is passed when it says so, when the next one is being asked, or when something after it has begun.
    const open = reports.find((report) => report.hop === hop && report.stage === 'open');
    const later = reports.find((report) => report.hop > hop);
    return open?.atMs ?? later?.atMs ?? secure ?? signIn;
  });
}

function hopViews(facts: ProgressFacts, steps: readonly StepView[]): HopView[] {
  const isTls = facts.scheme === 'https';
  const isSealed = isTls || facts.state.at === 'ready' || facts.state.at === 'ended';
  const readableKey = isTls ? READABLE_OVER_TLS : isSealed ? READABLE_WHEN_SEALED : READABLE_OVER_HTTP;
  const refused = refusingHop(facts.state);
  const node = (id: string, kind: HopView['kind'], name: string): HopView => {
    const step = steps.find((one) => one.id === id);
    const isServer = kind === 'server';
    return {
      id,
      kind,
      name,
      state: kind === 'you' ? 'open' : afterRefusal(id, refused, hopState(step, facts.state)),
      lockToNext: isServer ? null : isSealed ? 'sealed' : 'open',
      readableKey: isServer ? null : readableKey,
      ms: step?.ms ?? null,
    };
  };
  return [
    node('you', 'you', ''),
    node('relay', 'relay', facts.relay),
    ...facts.route.hops.map((hop, at) => node(`proxy-${at + 1}`, 'proxy', `${hop.host}:${hop.port}`)),
    node('server', 'server', facts.server),
  ];
}

function hopState(step: StepView | undefined, state: SessionState): HopView['state'] {
  if (state.at === 'closed' && state.error === null) return 'idle';
  if (state.at === 'ready' && state.link !== 'live') return 'dialling';
  if (step?.state === 'done') return 'open';
  if (step?.state === 'failed') return 'failed';
  return step?.state === 'running' ? 'dialling' : 'idle';
}

/** The step of the proxy that refused to go on; null where none did. What it stands before was never reached. */
function refusingHop(state: SessionState): string | null {
  const error = state.at === 'lost' || state.at === 'closed' ? state.error : null;
  if (error === null || !/^proxy\.(?:auth-.*|needs-https|connect-denied)$/.test(error.code)) return null;
  return 'hop' in error.details && error.details.hop > 0 ? `proxy-${error.details.hop}` : null;
}

function afterRefusal(id: string, refused: string | null, state: HopView['state']): HopView['state'] {
  if (refused === null) return state;
  if (id === refused) return 'failed';
  return state === 'failed' ? 'idle' : state;
}

/** Reports of the lane that leads, with when they came on the journal's clock. */
function hopReports(facts: ProgressFacts): (HopReport & { readonly atMs: number })[] {
  const lane = leadingLane(facts);
  return facts.entries.flatMap(({ ms, what }) =>
    what.event === 'hop' && what.lane === lane ? [{ ...what.report, atMs: ms }] : [],
  );
}

function legCount(facts: ProgressFacts): number {
  const lane = leadingLane(facts);
  return facts.entries.filter(({ what }) => what.event === 'leg' && what.lane === lane).length;
}

/** The lane that starts the shell; the other one opens beside it. */
function leadingLane(facts: ProgressFacts): LaneName {
  return facts.shell === 'interactive' ? 'control' : 'output';
}

function hopNumber(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}

function failureOf(state: SessionState): boolean {
  return state.at === 'lost' || (state.at === 'closed' && state.error !== null);
}
