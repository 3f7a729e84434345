/** A live configuration whose supervisor has no actors. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { ConfigFault } from '../src/config/faults';
import type { Topology } from '../src/config/topology';
import { Fault } from '../src/fault/fault';
import { LiveConfiguration } from '../src/supervisor/live-configuration';
import type { Plan } from '../src/supervisor/plan';
import type { MissingProgram } from '../src/supervisor/programs';
import { keptLog } from './kept-log';

export const NOTHING: Plan = { start: [], stop: [], restart: [], adjust: [], leave: [] };
/** A configuration without cameras, distinguished by its namespace. */
export const text = (namespace: string): string =>
  JSON.stringify({ namespace, redis: 'redis://r/', rabbitmq: 'amqp://b/', cameras: [] });

/** A live configuration over a supervisor that does as the test says; its file is removed when the test ends. */
export function live(t: TestContext) {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-live-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = path.join(dir, 'actors.json');
  const log = keptLog();
  const applied: string[] = [];
  const taken: string[] = [];
  const supervisor = {
    refused: [] as ConfigFault[],
    missing: [] as MissingProgram[],
    behind: 0,
    /** Throws if nothing can be changed. */
    refuses: (): void => undefined,
    /** How long it takes to see whether `slow` may be changed to. */
    claims: async (): Promise<void> => undefined,
    /** The outcome of the rollout. */
    takes: async (): Promise<void> => undefined,
  };
  const configuration = new LiveConfiguration({
    file,
    text: text('first'),
    onTaken: ({ namespace }) => taken.push(namespace),
    environment: {},
    missing: () => supervisor.missing,
    log,
    supervisor: {
      plan: ({ namespace }: Topology) => ({
        plan: namespace === 'first' ? NOTHING : { ...NOTHING, start: ['camera:new'] },
        refused: supervisor.refused,
      }),
      claim: async ({ namespace }: Topology) => {
        if (namespace === 'slow') await supervisor.claims();
        if (namespace === 'taken') throw new Fault('namespace-in-use', 'another daemon has it');
      },
      apply: ({ namespace }: Topology) => {
        supervisor.refuses();
        applied.push(namespace);
        return supervisor.takes();
      },
      get behind() {
        return supervisor.behind;
      },
    },
  });
  return {
    file,
    log,
    applied,
    taken,
    supervisor,
    configuration,
    edit: async (content: string) => {
      writeFileSync(file, content);
      await configuration.reload();
    },
    problems: () => configuration.state.faults?.map(({ path: at, problem }) => `${at}: ${problem}`),
    said: (level: string) => log.lines.filter(([severity]) => severity === level).map(([, line]) => line),
  };
}
