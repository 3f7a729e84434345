/** Programs that the embedded broker needs are killed while it starts, and while it runs. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { prepareRabbitmq } from '../../src/embedded/rabbitmq';
import { EndedEarly } from '../../src/embedded/server-process';
import { keptLog } from '../../lab/kept-log';
import { waitUntil } from '../../lab/process';
import { processTable } from '../../lab/process-table';

const START_MS = 90_000;
const STOP_MS = 10_000;
const MAPPER = /^\S*epmd -port/;
const CHILD_SETUP = /^\S*erl_child_setup /;

async function staged(t: TestContext) {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-broker-'));
  const log = keptLog();
  const service = await prepareRabbitmq(dir, undefined, log);
  t.after(async () => {
    await service.stop(STOP_MS);
    rmSync(dir, { recursive: true });
  });
  const running = (program: RegExp) =>
    processTable(dir).filter(({ command, marked }) => marked && program.test(command));
  const kill = async (program: RegExp) => {
    await waitUntil('it runs', () => running(program).length > 0);
    for (const { pid } of running(program)) process.kill(pid, 'SIGKILL');
  };
  return { log, service, running, kill };
}

test('a port mapper that ends is restarted, while the broker starts and while it runs', async (t) => {
  const { log, service, running, kill } = await staged(t);
  const starting = service.start(START_MS);
  await kill(MAPPER);
  await starting;
  const isFound = () =>
    (service.view?.() ?? assert.fail()).then(
      () => true,
      () => false,
    );
  await waitUntil('the broker is found', isFound);
  await kill(MAPPER);
  await waitUntil('the broker is found again', isFound);
  assert.equal(running(MAPPER).length, 1);
  assert.equal(
    log.lines.filter(([, line]) => /^epmd ended by SIGKILL; .*started again/.test(line)).length,
    2,
  );
});

test('a broker whose own helper was killed while it started counts as killed', async (t) => {
  const { service, kill } = await staged(t);
  const starting = service.start(START_MS);
  const rejected = assert.rejects(
    starting,
    (error: Error) => error instanceof EndedEarly && error.wasKilled && /code 1/.test(error.message),
  );
  await kill(CHILD_SETUP);
  await rejected;
});
