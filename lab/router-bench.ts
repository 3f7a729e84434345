/** A report router whose recipients note every call. */
import type { HostCommand } from '../src/comedy/host-messages';
import type { Frame } from '../src/contract/frame';
import type { CameraState, Gap } from '../src/contract/message';
import type { HostedActor } from '../src/comedy/hosted-actor';
import { ReportRouter } from '../src/supervisor/report-router';

export const FRAME: Frame = {
  camera: 'gate',
  capturedAt: 1_700_000_000_000,
  sequence: 1,
  width: 64,
  height: 36,
  format: 'jpeg',
  bytes: 4,
};
export const GAP: Gap = { camera: 'gate', firstSequence: 1, lastSequence: 2, missed: 2, reason: 'refused' };
export const STREAMING: CameraState = { camera: 'gate', state: 'streaming', sinceMs: 1 };
export const WAITING: CameraState = { camera: 'yard', state: 'waiting', sinceMs: 2 };

export function actor(name: string): HostedActor & { readonly got: HostCommand[] } {
  const got: HostCommand[] = [];
  return {
    name,
    got,
    pid: 1,
    exited: new Promise(() => undefined),
    lastLines: [],
    begin: () => undefined,
    send: (command) => got.push(command),
    stop: async () => undefined,
  };
}

/** A router, and all calls of its recipients in their order: who was called with what. */
export function routed(...names: string[]) {
  const calls: (readonly unknown[])[] = [];
  const note =
    (...what: string[]) =>
    (...args: unknown[]) => {
      calls.push([...what, ...args]);
    };
  const router = new ReportRouter({
    accounting: {
      began: note('ledger', 'began'),
      cameraState: note('ledger', 'state'),
      onReport: note('ledger', 'report'),
    },
    blackBox: { heartbeat: note('black box', 'heartbeat'), feedSaid: note('black box', 'feed') },
    deliveries: { captured: note('deliveries', 'captured'), delivered: note('deliveries', 'delivered') },
    figures: {
      periods: note('figures', 'periods'),
      captured: note('figures', 'captured'),
      delivered: note('figures', 'delivered'),
      dropped: note('figures', 'dropped'),
      missed: note('figures', 'missed'),
    },
    serving: { readiness: note('serving', 'readiness'), heartbeat: note('serving', 'heartbeat') },
    onWorked: note('worked'),
    onAddress: note('address'),
    onChanged: note('changed'),
  });
  const actors = new Map(names.map((name) => [name, actor(name)]));
  for (const each of actors.values()) router.join(each);
  const joined = calls.splice(0);
  return { router, actors, calls, joined, got: (name: string) => actors.get(name)?.got };
}

export const ALL = ['notifier', 'store', 'camera:gate'];
