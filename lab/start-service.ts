/** Starts an embedded server as the daemon does at first, or leaves nothing of it. */
import { firstStart } from '../src/embedded/first-start';
import type { ServerProcess } from '../src/embedded/server-process';
import type { EmbeddedService } from '../src/embedded/service';

/** RabbitMQ takes 5 to 9 s on an idle machine, 16 s were measured on a busy one. */
const SPEC = { startMs: 90_000, maxRestarts: 1 };
const STOP_MS = 10_000;

/** @throws Fault `service-start` */
export async function startService(service: EmbeddedService): Promise<ServerProcess> {
  const log = { warn: () => undefined };
  try {
    return await firstStart(service, () => SPEC, log, new AbortController().signal);
  } catch (error) {
    await service.stop(STOP_MS);
    throw error;
  }
}
