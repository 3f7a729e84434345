/** Starts an embedded server as the daemon does at first. */
import { EndedEarly, type ServerProcess } from '../src/embedded/server-process';
import type { EmbeddedService } from '../src/embedded/service';

/** Milliseconds. RabbitMQ takes 5 to 9 s on an idle machine, 16 s were measured on a busy one. */
const START_MS = 90_000;
const STOP_MS = 10_000;

/**
 * One that ends early is tried once more: another program may have used a port between its choice and the start.
 * @throws Fault `service-start`, with nothing of the server left
 */
export async function startService(service: EmbeddedService): Promise<ServerProcess> {
  try {
    return await service.start(START_MS).catch((error: unknown) => {
      if (error instanceof EndedEarly) return service.start(START_MS);
      throw error;
    });
  } catch (error) {
    await service.stop(STOP_MS);
    throw error;
  }
}
