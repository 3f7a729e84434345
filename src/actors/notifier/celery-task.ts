/** An event as a task of Celery, protocol 2: docs.celeryq.dev/en/stable/internals/protocol.html. Pure. */
import type { VigilEvent } from '../../contract/message';

/** Positional arguments, keyword arguments, and the options for follow-up tasks (none). */
export function celeryBody(event: VigilEvent): unknown {
  return [[event], {}, { callbacks: null, errbacks: null, chain: null, chord: null }];
}

/** The id of the task is that of the event: an event that is sent twice is the same task. */
export function celeryHeaders(event: VigilEvent, task: string): Record<string, unknown> {
  return {
    ...{ lang: 'py', task, id: event.id, root_id: event.id, parent_id: null, group: null },
    ...{ retries: 0, eta: null, expires: null, timelimit: [null, null], ignore_result: true },
    ...{ shadow: null, argsrepr: `[${event.id}]`, kwargsrepr: '{}', origin: event.source },
  };
}
