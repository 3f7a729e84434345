/** The first start of an embedded server: it shows whether the server can run here. */
import type { Log } from '../log/log';
import { EndedEarly, type ServerProcess } from './server-process';
import type { EmbeddedService } from './service';

export interface FirstStartSpec {
  readonly startMs: number;
  /** How often it may be killed meanwhile. */
  readonly maxRestarts: number;
}

/**
 * A server that was killed meanwhile, or that ended once, is started again: it may be able to run all the same. Another program
 * that it needs may have been killed, or have used its port between the port's choice and the start.
 * @param spec asked before each start
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
