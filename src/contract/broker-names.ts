/** Names of the exchange, the queues and the routing keys on RabbitMQ. */

/** Topic exchange that carries every event of a namespace. */
export function frameExchange(namespace: string): string {
  return `${namespace}.frames`;
}

/** Fan-out exchange, and its queue, that receive what the detection queue gave up on. */
export function deadLetterName(queue: string): string {
  return `${queue}.dead`;
}

/** Queue declared for detection services when the configuration names no other. */
export function defaultQueue(namespace: string): string {
  return `${namespace}.detection`;
}

/** Direct exchange for the queues of the services in the configuration; routing keys are names of queues. */
export function serviceExchange(namespace: string): string {
  return `${namespace}.services`;
}

/** Queue of a service in the configuration. */
export function serviceQueue(namespace: string, service: string): string {
  return `${namespace}.${service}`;
}

/** The kinds of event a camera has; each has a routing key of its own. */
export type EventKind = 'frame' | 'state' | 'gap';

/** `camera.<id>.frame`, `camera.<id>.state` or `camera.<id>.gap`; `*` as the camera binds them all. */
export function routingKey(camera: string, kind: EventKind): string {
  return `camera.${camera}.${kind}`;
}
