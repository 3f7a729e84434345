/** This daemon as a node of a fleet: what its configuration says, in the terms of the fleet. */
import { readFileSync } from 'node:fs';
import { fleetKey } from '../config/fleet-key';
import type { FleetSpec } from '../config/topology';
import { Etcd } from '../etcd/etcd';
import type { FaultRecord } from '../fault/fault';
import { Fleet } from '../fleet/fleet';
import type { Log } from '../log/log';
import { packageVersion } from '../os/own-package';
import type { DataDirectory } from './data-directory';
import type { FleetFile } from './fleet-file';
import { configurationName } from './held-cameras';
import { identityOf, nodeName } from './identity';
import type { Supervisor } from './supervisor';

export interface FleetNodeOptions {
  readonly spec: FleetSpec;
  readonly supervisor: Pick<Supervisor, 'configured' | 'holds'>;
  /** Its cameras and those of the fleet. */
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
  const { etcd: endpoints, name, capacity, username, password, ca, cert, key } = spec;
  const pem = Object.entries({ ca, cert, key }).flatMap(([what, file]) =>
    file === undefined ? [] : [[what, readFileSync(file, 'utf8')]],
  );
  const login = username === undefined || password === undefined ? {} : { username, password };
  return new Fleet({
    ...options,
    etcd: new Etcd({ endpoints, ...login, ...(Object.fromEntries(pem) as { ca?: string }) }),
    ...{ name, version: packageVersion() },
    node: nodeName(spec),
    capacity,
    holder: identityOf(data),
    // The cost of a camera is not measured yet: by their rate, they cost about the same.
    cameras: () =>
      supervisor.configured.cameras.map(({ id, periodMs, sessions }) => ({
        ...{ id, weight: 1000 / periodMs },
        isSingle: sessions === 1,
      })),
    configuration: () => {
      const { state, id } = shared() ?? {};
      return state && id && configurationName(supervisor.configured, state.revision, id);
    },
    secret: secret.kind === 'key' ? secret.bytes : undefined,
    onHeld: (ids, arriving) => supervisor.holds(ids, arriving),
  });
}
