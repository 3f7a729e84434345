/** Changes as events: each client gets what it missed, and nothing that is not true any more. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiCamera, ApiState } from '../../../../src/actors/web/view/api';
import { Changes } from '../../../../src/actors/web/view/changes';

const STATE = { version: '1', ready: true, problems: [] } as unknown as ApiState;
const camera = (id: string, more: Partial<ApiCamera> = {}): ApiCamera => ({
  ...{ id, tags: [], condition: 'delivering', since: 1, rate: 1, wantedRate: 1, restarts: 0 },
  ...more,
});
const picture = (capturedAt: number) => ({ capturedAt, width: 8, height: 8, format: 'jpeg' });
const kinds = (events: readonly { event: string; data: unknown }[]) =>
  events.map(({ event, data }) => `${event} ${(data as { id?: string }).id ?? ''}`.trim());

describe('changes', () => {
  it('are reported once', () => {
    const changes = new Changes();
    const look = { state: STATE, cameras: [camera('a', { picture: picture(1) })] };
    assert.deepEqual(kinds(changes.take(look)), ['camera a', 'picture a', 'state']);
    assert.deepEqual(changes.take(structuredClone(look)), []);
  });

  it('of a frame are a picture and nothing more', () => {
    const changes = new Changes();
    changes.take({ state: STATE, cameras: [camera('a', { picture: picture(1), confirmedAt: 1 })] });
    const next = camera('a', { picture: picture(2), confirmedAt: 2, rate: 0.98, keyframeSeconds: 0 });
    const events = changes.take({ state: STATE, cameras: [next] });
    assert.deepEqual(kinds(events), ['picture a']);
    assert.deepEqual(events[0]?.data, { id: 'a', capturedAt: 2 });
  });

  it('that remove a camera replace everything reported about it', () => {
    const changes = new Changes();
    const [first] = changes.take({
      state: STATE,
      cameras: [camera('a', { picture: picture(1) }), camera('b')],
    });
    assert.deepEqual(kinds(changes.take({ state: STATE, cameras: [camera('b')] })), ['removed a']);
    assert.deepEqual(kinds(changes.since(first?.id ?? '') ?? []), ['camera b', 'state', 'removed a']);
    const again = changes.take({ state: STATE, cameras: [camera('b'), camera('a')] });
    assert.deepEqual(kinds(again), ['camera a']);
    assert.deepEqual((changes.reset().data as { cameras: ApiCamera[] }).cameras.map(({ id }) => id).sort(), [
      'a',
      'b',
    ]);
  });

  it('that a client missed are the newest of each subject, in order', () => {
    const changes = new Changes();
    changes.take({ state: STATE, cameras: [camera('a'), camera('b')] });
    const last = changes.reset().id;
    for (let i = 1; i < 500; i++)
      changes.take({
        state: STATE,
        cameras: [camera('a', { picture: picture(i), restarts: i }), camera('b')],
      });
    const missed = changes.since(last) ?? assert.fail();
    assert.deepEqual(kinds(missed), ['camera a', 'picture a']);
    assert.deepEqual(missed[1]?.data, { id: 'a', capturedAt: 499 });
    assert.deepEqual(changes.since(missed.at(-1)?.id ?? ''), []);
  });

  it('are unknown for another process, for the future, or for an invalid id', () => {
    const changes = new Changes();
    changes.take({ state: STATE, cameras: [camera('a')] });
    const { id } = changes.reset();
    const [epoch = '', number = ''] = id.split('-');
    for (const unknown of [
      '',
      '7',
      `${epoch}-`,
      `${epoch}-x`,
      `other-${number}`,
      `${epoch}-${Number(number) + 1}`,
      `${epoch}--1`,
      `${epoch}-1e9`,
    ])
      assert.equal(changes.since(unknown), undefined, unknown);
  });

  it('remember a bounded number of removed cameras', () => {
    const changes = new Changes();
    changes.take({ state: STATE, cameras: [] });
    const last = changes.reset().id;
    for (let i = 0; i < 1100; i++) {
      changes.take({ state: STATE, cameras: [camera(`c${i}`)] });
      changes.take({ state: STATE, cameras: [] });
    }
    // A client that was away for longer starts again.
    assert.equal(changes.since(last), undefined);
    assert.deepEqual(changes.since(changes.reset().id), []);
  });
});
