/** This daemon as a node of a fleet: translates its configuration into the options of the fleet. */
import { readFileSync } from 'node:fs';
import { fleetKey } from '../config/fleet-key';
import type { FleetSpec, Topology } from '../config/topology';
import { Etcd } from '../etcd/etcd';
import { etcdEndpoint } from '../etcd/socket';
import type { FaultRecord } from '../fault/fault';
import { Costs, type Reading } from '../fleet/cost';
import { Fleet } from '../fleet/fleet';
import type { FleetCamera } from '../fleet/options';
import type { Log } from '../log/log';
import { packageVersion } from '../os/own-package';
import { processorSeconds } from '../os/processor-time';
import { cameraIdOf } from './actor-specs';
import type { DataDirectory } from './data-directory';
import type { FleetFile } from './fleet-file';
import { configurationName } from './held-cameras';
import { identityOf, nodeName } from './identity';
import type { ChildStatus } from './status';
import type { Supervisor } from './supervisor';

/** Costs are averages over minutes, and measuring them reads several files per camera. */
const COSTS_MS = 20_000;

export interface FleetNodeOptions {
  readonly spec: FleetSpec;
  readonly supervisor: Pick<Supervisor, 'configured' | 'holds' | 'status'>;
  /** Reconciles its cameras with those of the fleet. */
  readonly shared: () => FleetFile | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly data: DataDirectory;
  readonly log: Log;
  readonly onRefused: (fault: FaultRecord) => void;
}

export function fleetNode({
  spec,
  supervisor,
  shared,
  environment,
  data,
  ...options
}: FleetNodeOptions): Fleet {
  const secret = fleetKey(environment);
  const endpoints = spec.etcd === 'embedded' ? [etcdEndpoint(data.path('etcd'))] : spec.etcd;
  const { name, capacity, username, password, ca, cert, key } = spec;
  const pem = Object.entries({ ca, cert, key }).flatMap(([what, file]) =>
    file === undefined ? [] : [[what, readFileSync(file, 'utf8')]],
  );
  const login = username === undefined || password === undefined ? {} : { username, password };
  const costs = new Costs();
  let costsAtMs = -Infinity;
  let configured: Topology['cameras'] = [];
  let weighed: readonly FleetCamera[] = [];
  return new Fleet({
    ...options,
    etcd: new Etcd({ endpoints, ...login, ...(Object.fromEntries(pem) as { ca?: string }) }),
    ...{ name, version: packageVersion() },
    node: nodeName(spec),
    capacity,
    holder: identityOf(data),
    cameras: () => {
      const { cameras } = supervisor.configured;
      if (cameras !== configured) {
        configured = cameras;
        weighed = cameras.map(({ id, periodMs, sessions }) => ({
          ...{ id, weight: 1000 / periodMs },
          isSingle: sessions === 1,
        }));
      }
      return weighed;
    },
    costs: () => {
      const nowMs = performance.now();
      if (nowMs - costsAtMs > COSTS_MS) {
        costs.read(readings(supervisor.status()), nowMs);
        costsAtMs = nowMs;
      }
      return costs.steps;
    },
    configuration: () => {
      const { state, id } = shared() ?? {};
      return state && id && configurationName(supervisor.configured, state.revision, id);
    },
    secret: secret.kind === 'key' ? secret.bytes : undefined,
    onHeld: (ids, arriving) => supervisor.holds(ids, arriving),
  });
}

/** What the processes of the cameras have used, including their ffmpegs. */
function readings(children: readonly ChildStatus[]): Reading[] {
  return children.flatMap(({ name, pid }) => {
    const id = cameraIdOf(name);
    const seconds = id === undefined || pid === undefined ? undefined : processorSeconds(pid);
    return id === undefined || pid === undefined || seconds === undefined ? [] : [{ id, pid, seconds }];
  });
}
