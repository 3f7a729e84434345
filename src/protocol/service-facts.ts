/** The queues of services, as facts of the notifier's heartbeat. Pure. */

export interface ServiceFact {
  readonly service: string;
  /** Messages that wait; undefined if the queue does not exist. */
  readonly messages?: number;
  readonly consumers?: number;
}

/** A fact's name and text. */
export function serviceFact(
  service: string,
  state: { readonly messages: number; readonly maxLength: number; readonly consumers: number } | undefined,
): [string, string] {
  if (state === undefined) return [`service ${service}`, 'no queue'];
  const { messages, maxLength, consumers } = state;
  const readers = consumers === 0 ? 'no-consumer' : `consumers ${consumers}`;
  return [`service ${service}`, `${messages} of ${maxLength}, ${readers}`];
}

/** The entries of service queues among the facts. */
export function serviceFacts(facts: Readonly<Record<string, unknown>>): ServiceFact[] {
  return Object.entries(facts).flatMap(([name, told]) => {
    const [, service] = /^service (.+)$/.exec(name) ?? [];
    if (service === undefined) return [];
    const [, messages, consumers] =
      /^(\d+) of \d+, (?:no-consumer|consumers (\d+))$/.exec(String(told)) ?? [];
    if (messages === undefined) return [{ service }];
    return [{ service, messages: Number(messages), consumers: Number(consumers ?? 0) }];
  });
}
