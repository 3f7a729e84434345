/** When an actor's heartbeats are sent, and with what. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it, mock } from 'node:test';
import ActorSide from '../../../src/comedy/actor-side';
import type { HostReport } from '../../../src/comedy/host-messages';

/** What was sent in each message. */
async function messagesOf(everyMs: number, lastingMs: number): Promise<string[][]> {
  const messages: string[][] = [];
  const actor = new ActorSide();
  actor.initialize({
    getMode: () => 'in-memory',
    getCustomParameters: () => ({
      name: 'reports',
      module: path.resolve(__dirname, '../../fixtures/actors/reports.ts'),
      logLevel: 'error',
      parameters: everyMs,
    }),
    getParent: () => ({
      send: (_: string, message: unknown) => {
        messages.push((message as { reports: HostReport[] }).reports.map(({ kind }) => kind));
        return Promise.resolve();
      },
    }),
    getSystem: () => ({ sigintHandler: () => undefined, sigtermHandler: () => undefined }),
  });
  let nowMs = 5000;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  mock.method(performance, 'now', () => nowMs);
  try {
    actor.receive({ commands: [{ kind: 'start' }] });
    await turn();
    for (const untilMs = nowMs + lastingMs; nowMs < untilMs;) {
      nowMs += 10;
      mock.timers.tick(10);
      await turn();
    }
    actor.receive({ commands: [{ kind: 'stop' }] });
    await turn();
    await turn();
    mock.timers.tick(5000);
    return messages;
  } finally {
    mock.restoreAll();
    mock.timers.reset();
  }
}

describe('an actor heartbeat', () => {
  it('is sent on its own if there is nothing else to send', async () => {
    const messages = await messagesOf(0, 10_000);
    assert.deepEqual(messages.pop(), ['stopped']);
    assert.deepEqual(messages, Array<string[]>(9).fill(['heartbeat']));
  });

  for (const everyMs of [950, 1000, 1050])
    it(`is sent with a report made every ${everyMs} ms, in one message`, async () => {
      const messages = await messagesOf(everyMs, 10_000);
      assert.deepEqual(messages.pop(), ['stopped']);
      assert.ok(messages.length >= 9);
      for (const kinds of messages) assert.deepEqual(kinds, ['readiness', 'heartbeat']);
    });

  it('is sent once a second if there are many reports', async () => {
    const messages = await messagesOf(40, 10_000);
    const beats = messages.flat().filter((kind) => kind === 'heartbeat').length;
    assert.ok(beats >= 9 && beats <= 11, String(beats));
  });
});
