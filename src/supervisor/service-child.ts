/** An embedded server as a child of the supervisor. */
import type { ChildSpec } from '../config/topology';
import { aborted } from '../clock/sleep';
import type { Log } from '../log/log';
import type { FaultRecord } from '../fault/fault';
import { Child } from './child';
import { firstStart } from '../embedded/first-start';
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

  /** A failed first start ends the daemon; a server killed too often meanwhile exceeds its intensity. */
  async function startService(signal: AbortSignal): Promise<ServerProcess> {
    if (hasStarted) return service.start(spec().startMs);
    try {
      return await firstStart(service, spec, log, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof EndedEarly && error.wasKilled)) throw error;
      const limit = `more than ${spec().maxRestarts} restarts while it starts`;
      escalate({ code: 'escalated', message: `${service.name}: ${limit}, at last: ${error.message}` });
      await aborted(signal);
      throw error;
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
