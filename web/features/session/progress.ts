import type { HopReport, JournalEntry, LaneName, ProxyRoute, SessionState, ShellOptions } from '@fairlead/protocol';
import { type HopView, READABLE_OVER_HTTP, READABLE_WHEN_SEALED } from '../../components/hop-view.ts';

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
  readonly route: ProxyRoute;
  readonly shell: ShellOptions['kind'];
  readonly state: SessionState;
  /** The journal of this attempt. */
  readonly entries: readonly JournalEntry[];
}

/** The steps of an attempt with their times, and the hops of its road. Pure: the journal and the state say it all. */
export function progressOf(facts: ProgressFacts): { steps: readonly StepView[]; hops: readonly HopView[] } {
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
    return { ...step, state, ms };
  });
  return { steps: views, hops: hopViews(facts, views) };
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
    { id: 'sign-in', labelKey: 'session.steps.signIn', params: { legs: legCount(facts) } },
    { id: 'shell', labelKey: 'session.steps.shell', params: {} },
    {
      id: 'command',
      labelKey: facts.shell === 'interactive' ? 'session.steps.prompt' : 'session.steps.command',
      params: {},
    },
  ];
}

/** When each step ended, on the journal's clock; null for those that have not. */
function stepEnds(facts: ProgressFacts, steps: readonly StepPlan[]): (number | null)[] {
  const reports = hopReports(facts);
  const stateAt = (...names: readonly string[]) => {
    for (const { ms, what } of facts.entries) if (what.event === 'state' && names.includes(what.state)) return ms;
    return null;
  };
  const signIn = stateAt('authenticating', 'opening-shell', 'starting-command', 'ready');
  const shell = stateAt('opening-shell', 'starting-command', 'ready');
  const command = stateAt('starting-command', 'ready');
  const ready = stateAt('ready');
  return steps.map((step) => {
    if (step.id === 'sign-in') return shell;
    if (step.id === 'shell') return command;
    if (step.id === 'command') return ready;
    const hop = step.id === 'relay' ? 0 : step.id === 'server' ? facts.route.hops.length + 1 : hopNumber(step.id);
    // A hop is passed when it says so, when the next one is being asked, or when something after it has begun.
    const open = reports.find((report) => report.hop === hop && report.stage === 'open');
    const later = reports.find((report) => report.hop > hop);
    return open?.atMs ?? later?.atMs ?? signIn;
  });
}

function hopViews(facts: ProgressFacts, steps: readonly StepView[]): HopView[] {
  const isSealed = facts.state.at === 'ready' || facts.state.at === 'ended';
  const node = (id: string, kind: HopView['kind'], name: string): HopView => {
    const step = steps.find((one) => one.id === id);
    const isServer = kind === 'server';
    return {
      id,
      kind,
      name,
      state: kind === 'you' ? 'open' : hopState(step, facts.state),
      lockToNext: isServer ? null : isSealed ? 'sealed' : 'open',
      readableKey: isServer ? null : isSealed ? READABLE_WHEN_SEALED : READABLE_OVER_HTTP,
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
  if (state.at === 'ready' && state.link === 'reopening') return 'dialling';
  if (step?.state === 'done') return 'open';
  if (step?.state === 'failed') return 'failed';
  return step?.state === 'running' ? 'dialling' : 'idle';
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
