/** Rules for `consumers` that the schema cannot express. Pure. */
import { deadLetterName, defaultQueue, serviceExchange, serviceQueue } from '../contract/broker-names';
import type { ConfigFault } from './faults';
import { unknownFaults, type Known } from './known-cameras';
import { jsonPath } from './paths';
import type { ActorsFile } from './schema';
import type { WellFormed } from './well-formed';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

export function consumerFaults({
  namespace = 'vigil',
  queue,
  consumers = {},
  cameras = [],
}: WellFormed<ActorsFile>): ConfigFault[] {
  const known: Known = {
    ids: new Set(cameras.map((camera) => camera?.id)),
    tags: new Set(cameras.flatMap((camera) => camera?.tags ?? [])),
  };
  const detection = queue?.name ?? defaultQueue(namespace);
  const faults: ConfigFault[] = [];
  const names = Object.keys(consumers);
  if (names.some((name) => consumers[name]?.remove !== true) && detection === serviceExchange(namespace))
    faults.push({
      path: '$.queue.name',
      problem: `is the name of the exchange for "consumers"; choose another name`,
    });
  for (const name of names) {
    const at = jsonPath(['consumers', name]);
    const entry = consumers[name];
    const problem = nameProblem(name, namespace, detection);
    if (problem !== undefined) faults.push({ path: at, problem });
    if (entry === undefined || entry.remove === true) continue;
    if (entry.task !== undefined && entry.protocol === 'cloudevents')
      faults.push({
        path: `${at}.task`,
        problem: 'is only of use with "protocol": "celery"; set that, or remove it',
      });
    // A pattern may match cameras that are added later.
    const ids = entry.cameras?.map((id) => (id?.includes('*') === true ? undefined : id));
    faults.push(...unknownFaults({ cameras: ids, tags: entry.tags }, known, at));
  }
  return faults;
}

function nameProblem(name: string, namespace: string, detection: string): string | undefined {
  if (!NAME.test(name)) return 'is not a name for a service; expected 1 to 64 letters, digits, "_" or "-"';
  const queue = serviceQueue(namespace, name);
  if (queue === detection || queue === deadLetterName(detection))
    return `its queue ${queue} is already that of "queue"; choose another name`;
  return undefined;
}
