/** The AsyncAPI document. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Ajv from 'ajv';
import { asyncApiDocument } from '../../../src/contract/asyncapi';
import { CLOUDEVENTS_JSON } from '../../../src/contract/events';
import { FrameSampled, FramesMissed } from '../../../src/contract/message';
import { EVENTS } from './samples';

describe('the AsyncAPI document', () => {
  type Node = Readonly<Record<string, unknown>>;
  const document = JSON.parse(JSON.stringify(asyncApiDocument('site'))) as Node;

  /** The value at a JSON pointer of the document. */
  function at(pointer: string): unknown {
    return pointer
      .split('/')
      .filter((part) => part !== '')
      .reduce<unknown>((node, part) => (node as Node | undefined)?.[part], document);
  }

  function referencesOf(value: unknown): string[] {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
      key === '$ref' ? [String(item)] : referencesOf(item),
    );
  }

  it('has the three messages, each on its own channel', () => {
    assert.equal(document['asyncapi'], '3.0.0');
    assert.equal(document['defaultContentType'], CLOUDEVENTS_JSON);
    assert.deepEqual(Object.keys(at('/components/messages') as Node), [
      'FrameSampled',
      'CameraStateChanged',
      'FramesMissed',
    ]);
    assert.deepEqual(
      Object.entries(at('/channels') as Readonly<Record<string, Node>>).map(
        ([kind, { address, messages }]) => [kind, address, messages],
      ),
      [
        ['frame', 'camera.{camera}.frame', { FrameSampled: { $ref: '#/components/messages/FrameSampled' } }],
        [
          'state',
          'camera.{camera}.state',
          { CameraStateChanged: { $ref: '#/components/messages/CameraStateChanged' } },
        ],
        ['gap', 'camera.{camera}.gap', { FramesMissed: { $ref: '#/components/messages/FramesMissed' } }],
      ],
    );
  });

  it('refers to nothing that it does not contain', () => {
    const references = referencesOf(document);
    assert.equal(references.length, 6);
    for (const reference of references) {
      assert.match(reference, /^#\//);
      assert.notEqual(at(reference.slice(1)), undefined, reference);
    }
  });

  it('names the exchange of the namespace', () => {
    for (const kind of ['frame', 'state', 'gap'])
      assert.deepEqual(at(`/channels/${kind}/bindings/amqp/exchange`), {
        name: 'site.frames',
        type: 'topic',
        durable: true,
        autoDelete: false,
      });
  });

  it('describes the events as they are sent', () => {
    for (const [what, schema, make] of EVENTS) {
      const name =
        schema === FrameSampled
          ? 'FrameSampled'
          : schema === FramesMissed
            ? 'FramesMissed'
            : 'CameraStateChanged';
      const validate = new Ajv().compile(at(`/components/messages/${name}/payload`) as Node);
      assert.ok(validate(JSON.parse(JSON.stringify(make()))), what);
    }
  });
});
