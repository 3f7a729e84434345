/** The route of frames to the detection queue. */
import type { ChannelModel } from 'amqplib';
import { accessRefusal, type Needs } from '../../connections/rabbitmq-access';
import type { QueueSpec } from '../../config/topology';
import { frameExchange } from '../../contract/broker-names';
import { lackOf, type Declarations } from './declarations';
import { ACCESS_REFUSED, codeOf, exists, failureOf, NOT_FOUND } from './own-channel';
import { BINDING_NEEDS, directBinding, directExchangeStep, sharedBinding } from './topology-steps';

/**
 * How frames reach the detection queue: through an exchange of its own, where no other queue is involved; or through the
 * shared exchange, if the user has no right to the former.
 */
export type Route = 'direct' | 'shared';

/**
 * Sets up the direct route if permitted, and removes the other one: bound to both exchanges, the queue would get
 * every frame twice.
 * @param disproved used if the bindings of others are not known: a frame sent this way reached no queue
 */
export async function chooseRoute(
  connection: ChannelModel,
  namespace: string,
  queue: QueueSpec,
  disproved: Route | undefined,
  declarations: Declarations,
): Promise<Route> {
  const shared = (error: Error, needs: Needs): Route => {
    const where = `queue ${queue.name} gets its frames by exchange ${frameExchange(namespace)}`;
    const why =
      codeOf(error) === ACCESS_REFUSED ? `this user ${lackOf(error.message, needs)}` : error.message;
    declarations.note(`${where}, where any full queue can hold them up: ${why}`, false);
    return 'shared';
  };
  if (!(await exists(connection, (channel) => channel.checkQueue(queue.name)))) return 'shared';
  const own = directExchangeStep(queue);
  const undeclared = await failureOf(connection, own.declare);
  if (undeclared !== undefined && !(await exists(connection, own.check)))
    return shared(undeclared, own.needs);
  const unbound = await failureOf(connection, directBinding(queue).make);
  // Writing to a queue and to an exchange of the same name is one right.
  if (unbound !== undefined && accessRefusal(unbound.message)?.object === 'queue')
    return shared(unbound, BINDING_NEEDS);
  const kept = unbound ?? (await failureOf(connection, sharedBinding(namespace, queue.name).end));
  if (kept === undefined || codeOf(kept) === NOT_FOUND) return 'direct';
  return disproved === 'shared' ? 'direct' : shared(kept, BINDING_NEEDS);
}
