/** The detection queue, as the notifier's heartbeat reports it from the broker. Pure. */
import type { ApiQueue } from './api';

/** Undefined until it has asked. @param facts of the notifier's heartbeat: `queue NAME` is `5 of 100000` */
export function queueView(facts: Readonly<Record<string, unknown>>): ApiQueue | undefined {
  for (const [fact, told] of Object.entries(facts)) {
    const [, name] = /^queue (.+)$/.exec(fact) ?? [];
    const [, messages, limit] = /^(\d+) of (\d+)$/.exec(String(told)) ?? [];
    if (name === undefined || messages === undefined) continue;
    const { queueConsumers: consumers } = facts;
    return {
      ...{ name, messages: Number(messages), limit: Number(limit) },
      ...(typeof consumers === 'number' ? { consumers } : {}),
    };
  }
  return undefined;
}
