/** Which right on which object a user of RabbitMQ lacks, from the broker's message. Pure. */

/** rabbitmq.com/docs/access-control */
export type Right = 'configure' | 'write' | 'read';
export type BrokerObject = 'exchange' | 'queue';

export interface AccessRefusal {
  readonly right: Right | undefined;
  readonly object: BrokerObject | 'topic' | 'vhost';
  readonly name: string;
}

/** The rights an operation needs on each kind of object it names. */
export type Needs = Readonly<Partial<Record<BrokerObject, Right>>>;

/** Broker versions before 3.12 do not name the right. */
const REFUSED = /ACCESS_REFUSED - (?:(configure|write|read) )?access to (exchange|queue|topic|vhost) '(.*?)'/;

/** Undefined if the text is not about access to an object. */
export function accessRefusal(text: string, needs: Needs = {}): AccessRefusal | undefined {
  const [, right, object, name] = REFUSED.exec(text) ?? [];
  if (object === undefined || name === undefined) return undefined;
  const kind = object as AccessRefusal['object'];
  const needed = kind === 'exchange' || kind === 'queue' ? needs[kind] : undefined;
  return { right: (right as Right | undefined) ?? needed, object: kind, name };
}

/** `lacks the right "configure" on queue v.detection.dead` */
export function lacking({ right, object, name }: AccessRefusal): string {
  const what = right === undefined ? 'the right to use' : `the right "${right}" on`;
  return `lacks ${what} ${object} ${name}`;
}
