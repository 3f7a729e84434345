/** The actor children of a daemon whose actors are not processes, with all they call. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { CameraState } from '../src/contract/message';
import type { FaultRecord } from '../src/fault/fault';
import { ActorChildren } from '../src/supervisor/actor-children';
import { keptLog } from './kept-log';
import { KeptHost } from './kept-host';
import { until } from './until';
import { wantedBy, type Entry } from './wanted-actors';

/** Opened, nothing started yet; stopped when the test ends. */
export async function openChildren(t: TestContext, entry: Entry = {}) {
  const { topology, actors } = wantedBy({ http: false, ...entry });
  const [host, log] = [new KeptHost(), keptLog()];
  const states: CameraState[] = [];
  const [began, serving]: [string[], string[]] = [[], []];
  const escalations: FaultRecord[] = [];
  const blackBoxDir = mkdtempSync(path.join(tmpdir(), 'vigil-children-'));
  const children = await ActorChildren.open(
    {
      topology,
      accounting: {
        began: (name) => began.push(name),
        cameraState: (state) => states.push(state),
        onReport: () => undefined,
      },
      log,
      blackBoxDir,
      onServing: (name) => serving.push(name),
      onAddress: () => undefined,
      onEscalation: (fault) => escalations.push(fault),
    },
    async (_log, _level, onReport) => host.open(onReport),
  );
  t.after(async () => {
    await children.stop();
    rmSync(blackBoxDir, { recursive: true, force: true, maxRetries: 5 });
  });
  const [events, box] = [host.events, (name: string) => path.join(blackBoxDir, name)];
  return {
    ...{ children, host, log, states, began, serving, escalations, events },
    startAll: (served: Promise<unknown> = Promise.resolve()) => children.startAll(actors, served),
    edit: async (changed: Entry) => {
      const wanted = wantedBy({ http: false, ...entry, ...changed });
      await children.change(wanted.actors, wanted.topology);
    },
    child: (name: string) => children.status().find((child) => child.name === name),
    runs: (name: string, pid: number) =>
      until(`${name} runs with pid ${pid}`, () =>
        children.status().some((c) => c.name === name && c.pid === pid),
      ),
    crashes: (name: string) => {
      const files = readdirSync(box(name)).filter((file) => file.endsWith('.json'));
      return files.map(
        (file) => JSON.parse(readFileSync(path.join(box(name), file), 'utf8')) as Record<string, unknown>,
      );
    },
    reported: (name: string) =>
      until(`the crash report for ${name}`, () =>
        log.lines.some(([, text]) => text === `crash report for ${name} written`),
      ),
  };
}
