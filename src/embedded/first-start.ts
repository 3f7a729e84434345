/** The first start of an embedded server: it shows whether the server can run here. */
import type { Log } from '../log/log';
import { EndedEarly, type ServerProcess } from './server-process';
import type { EmbeddedService } from './service';

export interface FirstStartSpec {
  readonly startMs: number;
  /** How often the server may be killed during the start. */
  readonly maxRestarts: number;
}

/**
 * Starts again a server that was killed during the start, or that ended once: it may still be able to run. A
 * program that it needs may have been killed, or another may have used its port between the port's choice and
 * the start.
 * @param spec called before each start
 * @throws Fault `service-start`; {@link EndedEarly} if it ended again, or was killed more often than allowed
 */
export async function firstStart(
  service: EmbeddedService,
  spec: () => FirstStartSpec,
  log: Pick<Log, 'warn'>,
  signal: AbortSignal,
): Promise<ServerProcess> {
  let [kills, ends] = [0, 0];
  for (;;) {
    try {
      return await service.start(spec().startMs);
    } catch (error) {
      if (signal.aborted || !(error instanceof EndedEarly)) throw error;
      if (error.wasKilled ? ++kills > spec().maxRestarts : ++ends > 1) throw error;
      log.warn(`${error.message}; started again at once`, { code: error.code });
    }
  }
}
