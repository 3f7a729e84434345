/** The figures of the daemon in the form of Prometheus: https://prometheus.io/docs/practices/naming/ */
import { Registry, type Histogram } from 'prom-client';
import type { ChildStatus } from '../../../supervisor/status';
import { LATENCY_BOUNDS_S, type Figures } from '../../../supervisor/figures';
import { serviceFacts } from '../../../protocol/service-facts';
import { cameraMetrics, verdictMetric } from './camera-metrics';
import type { Observed } from './observed';
import type { Cost } from './process-cost';
import { counter, gauge } from './series';

/** A new registry for each scrape, so that nothing removed from the configuration remains in it. */
export async function metricsText(observed: Observed): Promise<string> {
  const register = new Registry();
  daemonMetrics(register, observed);
  cameraMetrics(register, observed);
  verdictMetric(register, observed);
  actorMetrics(register, observed);
  latencyMetric(register, observed.figures);
  return register.metrics();
}

function daemonMetrics(register: Registry, { view: { state, status }, nowMs }: Observed): void {
  const plain = (name: string, help: string, value: number | undefined) => gauge(register, name, help)(value);
  plain('vigil_ready', 'Whether Redis and RabbitMQ have both answered since the start.', Number(state.ready));
  plain('vigil_problems', 'Number of reasons why the daemon does not do its work.', state.problems.length);
  plain('vigil_start_time_seconds', 'When the daemon started, since the epoch.', state.startedAt / 1000);
  plain('vigil_spool_frames', 'Frames that wait in the spool.', state.spool.waiting);
  plain('vigil_spool_bytes', 'Bytes of the frames that wait in the spool.', state.spool.bytes);
  plain(
    'vigil_spool_oldest_age_seconds',
    'Age of the oldest frame in the spool.',
    (state.spool.oldestAgeMs ?? 0) / 1000,
  );
  const { lastConfirmAtMs } = status.delivery;
  plain(
    'vigil_last_confirm_age_seconds',
    'Time since the broker last confirmed a frame of any camera.',
    lastConfirmAtMs === undefined ? undefined : Math.max(0, nowMs - lastConfirmAtMs) / 1000,
  );
  const servers = gauge(register, 'vigil_server_ready', 'Whether the server answers.', ['server']);
  servers(Number(state.redis.ready), { server: 'redis' });
  servers(Number(state.rabbitmq.ready), { server: 'rabbitmq' });
  const facts = factsOf(status.children, 'notifier');
  const seconds = (ms: unknown) => (typeof ms === 'number' ? ms / 1000 : undefined);
  const roundTrip = gauge(
    register,
    'vigil_server_round_trip_seconds',
    'Time that Redis took for the last write of a frame, and RabbitMQ for its last confirm.',
    ['server'],
  );
  roundTrip(seconds(factsOf(status.children, 'store')['writeMs']), { server: 'redis' });
  roundTrip(seconds(facts['confirmMs']), { server: 'rabbitmq' });
  plain(
    'vigil_unconfirmed_messages',
    'Messages the broker has not confirmed yet.',
    number(facts['unconfirmed']),
  );
  plain('vigil_queue_messages', 'Messages that wait in the detection queue.', state.queue?.messages);
  plain('vigil_queue_consumers', 'Consumers of the detection queue.', state.queue?.consumers);
  serviceMetrics(register, facts);
}

function serviceMetrics(register: Registry, facts: Readonly<Record<string, unknown>>): void {
  const messages = gauge(
    register,
    'vigil_service_queue_messages',
    'Messages that wait in the queue of a service in the configuration.',
    ['service'],
  );
  const consumers = gauge(register, 'vigil_service_queue_consumers', "Consumers of a service's queue.", [
    'service',
  ]);
  for (const { service, messages: waiting, consumers: readers } of serviceFacts(facts)) {
    messages(waiting, { service });
    consumers(readers, { service });
  }
}

function actorMetrics(register: Registry, { view, figures, costs }: Observed): void {
  const ends = counter(
    register,
    'vigil_actor_ends_total',
    'Unexpected ends of the process of an actor, by reason.',
    ['actor', 'reason'],
  );
  const restarts = counter(register, 'vigil_actor_restarts_total', 'Restarts of the process.', ['actor']);
  const quarantined = gauge(register, 'vigil_actor_quarantined', '1 for an actor in quarantine.', ['actor']);
  const processor = counter(
    register,
    'vigil_process_cpu_seconds_total',
    'Processor time of the process and all it has started.',
    ['actor'],
  );
  const memory = gauge(
    register,
    'vigil_process_resident_memory_bytes',
    'Memory of the process and all it has started.',
    ['actor'],
  );
  const known: Cost[] = [];
  for (const { name: actor, pid, state, restarts: count } of view.status.children) {
    restarts(count, { actor });
    if (state === 'quarantined') quarantined(1, { actor });
    const cost = pid === undefined ? undefined : costs.get(pid);
    if (cost === undefined) continue;
    processor(cost.processorS, { actor });
    memory(cost.memoryBytes, { actor });
    known.push(cost);
  }
  const all = costs.get(view.status.pid);
  if (all !== undefined) {
    // Its actors and servers are below it, and have their own.
    const rest = (of: keyof Cost) =>
      Math.max(
        0,
        known.reduce((left, cost) => left - cost[of], all[of]),
      );
    processor(rest('processorS'), { actor: 'daemon' });
    memory(rest('memoryBytes'), { actor: 'daemon' });
  }
  for (const [actor, byCode] of Object.entries(figures.ends))
    for (const [reason, count] of Object.entries(byCode)) ends(count, { actor, reason });
}

/** prom-client observes one value at a time; these are counted already. */
function latencyMetric(register: Registry, { latency }: Figures): void {
  const name = 'vigil_capture_to_confirm_seconds';
  const help = 'Time from the capture of a frame to its confirm, all cameras.';
  let count = 0;
  const buckets = [...LATENCY_BOUNDS_S, '+Inf' as const].map((le, i) => {
    count += latency.counts[i] ?? 0;
    return { value: count, labels: { le }, metricName: `${name}_bucket` };
  });
  const values = [
    ...buckets,
    { value: latency.sumMs / 1000, labels: {}, metricName: `${name}_sum` },
    { value: count, labels: {}, metricName: `${name}_count` },
  ];
  const told = { name, help, type: 'histogram', values, aggregator: 'sum' };
  register.registerMetric({ name, get: async () => told } as unknown as Histogram);
}

function factsOf(
  children: readonly ChildStatus[],
  kind: ChildStatus['kind'],
): Readonly<Record<string, unknown>> {
  return children.find((child) => child.kind === kind)?.heartbeat?.facts ?? {};
}

function number(fact: unknown): number | undefined {
  return typeof fact === 'number' ? fact : undefined;
}
