/** The queues in `status` that do not, or no longer, belong to Vigil: the broker is queried with each `status`. */
import { boundQueues, type BrokerView, type QueuesAnswer } from '../connections/bound-queues';
import { readQueueNames } from '../connections/queue-names';
import { withDeadline } from '../clock/sleep';
import type { Topology } from '../config/topology';
import { Fault } from '../fault/fault';
import type { EmbeddedService } from '../embedded/service';

/** Limit for all queries together, milliseconds: `status` waits for them. */
const ANSWER_MS = 6000;
/** Limit for each answer of a management API: one that does not answer must not hold up the rest of `status`. */
const MANAGEMENT_ANSWER_MS = 1000;

const NO_MANAGEMENT =
  'set "managementUrl" of "rabbitmq" to its management API, such as http://HOST:15672, to have them shown here';

/**
 * Never rejects: if the queues cannot be determined, the answer contains the reason.
 * @param queuesFile names of the queues that Vigil has declared
 */
export async function askQueues(
  {
    namespace,
    queue,
    services: wanted,
    rabbitmq,
  }: Pick<Topology, 'namespace' | 'queue' | 'services' | 'rabbitmq'>,
  services: readonly Pick<EmbeddedService, 'name' | 'view'>[],
  queuesFile: string,
): Promise<QueuesAnswer> {
  const ask = async (): Promise<QueuesAnswer> => {
    const view = await viewOf(rabbitmq, services);
    if (view === undefined) return { kind: 'unknown', message: NO_MANAGEMENT };
    const own = [queue.name, ...wanted.map((service) => service.queue)];
    const names = readQueueNames(queuesFile);
    return { kind: 'known', queues: await boundQueues(view, { namespace, own, names }) };
  };
  try {
    const late = `RabbitMQ did not answer all questions within ${ANSWER_MS} ms`;
    return (await withDeadline(ask(), ANSWER_MS)) ?? { kind: 'unknown', message: late };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { kind: 'unknown', message: error.message };
  }
}

async function viewOf(
  rabbitmq: Topology['rabbitmq'],
  services: readonly Pick<EmbeddedService, 'name' | 'view'>[],
): Promise<BrokerView | undefined> {
  if (rabbitmq.kind === 'embedded') {
    const view = await services.find(({ name }) => name === 'rabbitmq')?.view?.();
    if (view === undefined) throw new Fault('broker-call', 'the embedded RabbitMQ is not started yet');
    return view;
  }
  if (rabbitmq.managementUrl === undefined) return undefined;
  const { managementView } = await import('../connections/rabbitmq-management');
  return managementView(rabbitmq.managementUrl, rabbitmq.url, MANAGEMENT_ANSWER_MS);
}
