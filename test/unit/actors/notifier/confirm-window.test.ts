/** The window of unconfirmed messages: how much is sent, and that nothing is sent twice while its fate is unknown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfirmWindow, type Outgoing } from '../../../../src/actors/notifier/confirm-window';
import { publishOptions, type OutgoingMessage } from '../../../../src/actors/notifier/outgoing-message';
import { frameSampled } from '../../../../src/contract/events';

const FAULT = { code: 'broker-lost', message: 'rabbitmq has gone' };

function publicationOf(capturedAt: number, ages = true): OutgoingMessage {
  const event = frameSampled(
    'vigil',
    { camera: 'gate', capturedAt, sequence: 0, width: 1, height: 1, format: 'jpeg', bytes: 1 },
    false,
    capturedAt,
  );
  return { exchange: 'x', routingKey: 'k', event, mandatory: true, ...(ages ? { lifeMs: 1000 } : {}) };
}

/** All that may be sent at `nowMs`. */
function sendable(window: ConfirmWindow, nowMs: number): Outgoing[] {
  const sent: Outgoing[] = [];
  for (let next = window.next(nowMs); next !== undefined; next = window.next(nowMs)) sent.push(next);
  return sent;
}

describe('the confirm window', () => {
  it('sends one message to a broker that has not confirmed recently, many to one that has, and never more than 256', () => {
    const window = new ConfirmWindow();
    for (let i = 0; i < 300; i++) void window.offer(publicationOf(i), 0);
    const [probe, ...others] = sendable(window, 0);
    assert.ok(probe !== undefined);
    assert.deepEqual(others, []);
    window.confirm(probe, 10);
    assert.equal(sendable(window, 20).length, 256);
    assert.equal(window.unconfirmed, 256);
  });

  it('closes when confirms are missing', () => {
    const window = new ConfirmWindow();
    void window.offer(publicationOf(1), 0);
    const [first] = sendable(window, 0);
    window.confirm(first as Outgoing, 0);
    void window.offer(publicationOf(2), 300);
    void window.offer(publicationOf(3), 300);
    assert.equal(sendable(window, 300).length, 1);
  });

  for (const [silentMs, sent] of [
    [600, 99],
    [700, 1],
  ] as const)
    it(`sends ${sent} to a far broker that took 400 ms to confirm and is silent for ${silentMs} ms`, () => {
      const window = new ConfirmWindow();
      for (let i = 0; i < 100; i++) void window.offer(publicationOf(i), 0);
      window.confirm(sendable(window, 0)[0] as Outgoing, 400);
      assert.equal(sendable(window, 400 + silentMs).length, sent);
    });

  it('gives a message in flight the same answer, however often it is requested', async () => {
    const window = new ConfirmWindow();
    const answer = window.offer(publicationOf(1), 0);
    assert.equal(window.known('gate-1'), answer);
    const [sent] = sendable(window, 0);
    assert.equal(window.known('gate-1'), answer);
    window.refuse(sent as Outgoing, FAULT);
    assert.deepEqual(await answer, FAULT);
    assert.equal(window.known('gate-1'), undefined, 'it may be sent again');
  });

  it('remembers the most recently confirmed frames, and no other events', async () => {
    const window = new ConfirmWindow();
    for (let i = 0; i < 4100; i++) {
      void window.offer(publicationOf(i, i !== 4099), 0);
      window.confirm(window.next(0) as Outgoing, 0);
    }
    assert.equal(await window.known('gate-4098'), undefined);
    assert.notEqual(window.known('gate-4098'), undefined);
    assert.equal(window.known('gate-4099'), undefined);
    assert.equal(window.known('gate-0'), undefined);
  });

  it('fails only unsent messages when the broker blocks, and all of them when it is lost', async () => {
    const window = new ConfirmWindow();
    const [sent, waiting] = [window.offer(publicationOf(1), 0), window.offer(publicationOf(2), 0)];
    sendable(window, 0);
    window.failWaiting(FAULT);
    assert.deepEqual(await waiting, FAULT);
    assert.deepEqual([window.unconfirmed, window.settled], [1, 1]);
    window.failAll(FAULT);
    assert.deepEqual(await sent, FAULT);
    assert.deepEqual([window.unconfirmed, window.settled], [0, 2]);
  });

  it('ignores a late answer to a message that was offered again', async () => {
    const window = new ConfirmWindow();
    void window.offer(publicationOf(1), 0);
    const [old] = sendable(window, 0);
    window.failAll(FAULT);
    const answer = window.offer(publicationOf(1), 100);
    const [fresh] = sendable(window, 100);
    window.refuse(old as Outgoing, FAULT);
    window.confirm(fresh as Outgoing, 200);
    assert.equal(await answer, undefined);
    assert.equal(window.unconfirmed, 0);
  });

  it('reports how long the last confirm took', () => {
    const window = new ConfirmWindow();
    void window.offer(publicationOf(1), 0);
    const [sent] = sendable(window, 100);
    assert.equal(window.confirmMs, undefined);
    window.confirm(sent as Outgoing, 112);
    assert.equal(window.confirmMs, 12);
  });

  it('reports how long the oldest confirm has been outstanding', () => {
    const window = new ConfirmWindow();
    assert.equal(window.owedMs(500), 0);
    void window.offer(publicationOf(1), 0);
    assert.equal(window.owedMs(500), 0, 'not sent yet');
    sendable(window, 500);
    assert.equal(window.owedMs(900), 400);
  });
});

describe('the lifetime of a message', () => {
  it('counts from when it was handed over, not from when its turn came', () => {
    assert.equal(publishOptions(publicationOf(1), 0).expiration, '1000');
    assert.equal(publishOptions(publicationOf(1), 300.7).expiration, '699');
    assert.equal(publishOptions(publicationOf(1), 5000).expiration, '1');
  });
});
