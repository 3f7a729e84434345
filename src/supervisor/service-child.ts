/** An embedded server as a child of the supervisor. */
import type { ChildSpec } from '../config/topology';
import { aborted } from '../clock/sleep';
import type { Log } from '../log/log';
import type { FaultRecord } from '../fault/fault';
import { Child } from './child';
import { EndedEarly, type ServerProcess } from '../embedded/server-process';
import type { EmbeddedService } from '../embedded/service';

/** @param escalate called when the server exceeds its intensity */
export function serviceChild(
  service: EmbeddedService,
  spec: () => ChildSpec,
  log: Log,
  escalate: (fault: FaultRecord) => void,
): Child {
  let hasStarted = false;

  /**
   * The daemon ends if a server cannot be started at first. A server that was killed meanwhile, or that ended once, does not
   * count as such: another program that it needs may have been killed.
   */
  async function startService(signal: AbortSignal): Promise<ServerProcess> {
    let [kills, ends] = [0, 0];
    for (;;) {
      try {
        return await service.start(spec().startMs);
      } catch (error) {
        if (hasStarted || signal.aborted || !(error instanceof EndedEarly)) throw error;
        if (!error.wasKilled && ++ends > 1) throw error;
        if (error.wasKilled && ++kills > spec().maxRestarts) {
          const message = `${service.name}: more than ${spec().maxRestarts} restarts while it starts, at last: ${error.message}`;
          escalate({ code: 'escalated', message });
          await aborted(signal);
          throw error;
        }
        log.warn(`${error.message}; started again at once`, { code: error.code });
      }
    }
  }

  return new Child({
    name: service.name,
    log,
    spec,
    onEscalation: escalate,
    start: async (signal) => {
      const startedAt = Date.now();
      const cancel = () => void service.stop(spec().shutdownMs);
      signal.addEventListener('abort', cancel, { once: true });
      log.info(`${service.name} is starting`);
      const server = await startService(signal).finally(() => signal.removeEventListener('abort', cancel));
      hasStarted = true;
      log.info(`${service.name} runs`, { server: server.pid, ms: Date.now() - startedAt });
      const ended = server.exited.then(() => ({
        normal: false,
        fault: {
          code: 'crashed',
          message: `ended ${server.ending()}; its last output: ${server.lastOutput()}`,
        },
      }));
      return { pid: server.pid, ended, stop: () => service.stop(spec().shutdownMs) };
    },
  });
}
