/** The contract as an AsyncAPI 3.0 document, from the same schemas as the types and the checks. */
import { CLOUDEVENTS_JSON } from './events';
import { CameraStateChanged, FrameSampled, FramesMissed } from './message';
import { defaultQueue, frameExchange, routingKey, type EventKind } from './broker-names';

const EVENTS = [
  {
    kind: 'frame',
    name: 'FrameSampled',
    payload: FrameSampled,
    summary: 'A frame is in Redis under `data.key`.',
  },
  {
    kind: 'state',
    name: 'CameraStateChanged',
    payload: CameraStateChanged,
    summary: 'A camera changed its state.',
  },
  {
    kind: 'gap',
    name: 'FramesMissed',
    payload: FramesMissed,
    summary: 'Sampling periods passed without a frame.',
  },
] as const satisfies readonly { kind: EventKind; name: string; payload: unknown; summary: string }[];

/** The document for the default namespace; another namespace only changes the names that begin with it. */
export function asyncApiDocument(namespace = 'vigil'): unknown {
  const exchange = { name: frameExchange(namespace), type: 'topic', durable: true, autoDelete: false };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Vigil',
      version: '1.0.0',
      description: `Events of Vigil's cameras: CloudEvents 1.0, structured JSON. Frames are also queued in ${defaultQueue(namespace)}.`,
    },
    defaultContentType: CLOUDEVENTS_JSON,
    channels: Object.fromEntries(
      EVENTS.map(({ kind, name, summary }) => [
        kind,
        {
          address: routingKey('{camera}', kind),
          description: summary,
          parameters: { camera: { description: 'Camera id.' } },
          messages: { [name]: { $ref: `#/components/messages/${name}` } },
          bindings: { amqp: { is: 'routingKey', exchange } },
        },
      ]),
    ),
    operations: Object.fromEntries(
      EVENTS.map(({ kind }) => [`send-${kind}`, { action: 'send', channel: { $ref: `#/channels/${kind}` } }]),
    ),
    components: {
      messages: Object.fromEntries(
        EVENTS.map(({ name, payload, summary }) => [
          name,
          { name, summary, contentType: CLOUDEVENTS_JSON, payload },
        ]),
      ),
    },
  };
}
