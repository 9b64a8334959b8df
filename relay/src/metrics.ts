import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** The relay's figures for Prometheus. Labels are from small fixed sets: no host, person or path. */
export interface Metrics {
  readonly registry: Registry;
  readonly pipesOpen: Gauge;
  readonly pipesHeld: Gauge;
  readonly resumes: Counter<'result'>;
  readonly dials: Counter<'result'>;
  readonly bytes: Counter<'direction'>;
  readonly signIns: Counter<'result'>;
  readonly requests: Counter<'route' | 'status'>;
  stop(): void;
}

/** Makes a set of figures of its own, so that two relays in one program do not share them. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  return {
    registry,
    pipesOpen: new Gauge({ name: 'fairlead_pipes_open', help: 'TCP connections open for a tab now', registers }),
    pipesHeld: new Gauge({
      name: 'fairlead_pipes_held',
      help: 'Of these, those whose tab has no link now and that wait to be taken up again',
      registers,
    }),
    resumes: new Counter({
      name: 'fairlead_resumes_total',
      help: 'Pipes that lost their link, by result: resumed, expired; refused counts attempts',
      labelNames: ['result'],
      registers,
    }),
    dials: new Counter({
      name: 'fairlead_dials_total',
      help: 'Roads asked for, by result: opened, or the error code',
      labelNames: ['result'],
      registers,
    }),
    bytes: new Counter({
      name: 'fairlead_pipe_bytes_total',
      help: 'Bytes carried; up is from the tab',
      labelNames: ['direction'],
      registers,
    }),
    signIns: new Counter({
      name: 'fairlead_sign_ins_total',
      help: 'Sign-in attempts, by result: accepted, refused, limited',
      labelNames: ['result'],
      registers,
    }),
    requests: new Counter({
      name: 'fairlead_http_requests_total',
      help: 'HTTP answers by route and status',
      labelNames: ['route', 'status'],
      registers,
    }),
    stop: () => registry.clear(),
  };
}
