/** Notices in transit: signed, in order, retried, bounded; and what is stored about them. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import type { Notice, NoticeBody } from '../../../../src/actors/notices/notice';
import { Outbox } from '../../../../src/actors/notices/outbox';
import type { Posted } from '../../../../src/actors/notices/post';
import { signedHeaders } from '../../../../src/actors/notices/signature';
import { keysOf, readState, writeState } from '../../../../src/actors/notices/state-file';
import { until } from '../../../../lab/until';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const body = (message: string, atMs = Date.now()): NoticeBody => ({
  type: 'vigil.camera.offline',
  timestamp: new Date(atMs).toISOString(),
  data: { namespace: 'vigil', message, since: new Date(atMs).toISOString() },
});
const FAILED = { kind: 'failed', fault: { code: 'http-500', message: 'answers with status 500' } } as const;
const ACCEPTED: Posted = { kind: 'accepted' };

function open(t: TestContext, answers: (attempt: number) => Posted, waiting: Notice[] = []) {
  const seen: { id: string; message: string }[] = [];
  const [pauses, lost]: [number[], string[]] = [[], []];
  let clockMs = 0;
  const stopping = new AbortController();
  const outbox = new Outbox(
    {
      ...{ url: 'https://h/', secret: SECRET, onChange: () => undefined, onFault: () => undefined },
      clockMs: () => clockMs,
      pause: async (ms) => {
        if (ms > 0) pauses.push(ms);
        clockMs += ms;
        await new Promise((resolve) => setImmediate(resolve));
      },
      onLost: (count, why) => lost.push(`${count}: ${why}`),
      post: async (_, headers, text) => {
        seen.push({
          id: headers['webhook-id'] ?? '',
          message: (JSON.parse(text) as NoticeBody).data.message,
        });
        return answers(seen.length);
      },
    },
    waiting,
  );
  const ended = outbox.run(stopping.signal);
  t.after(async () => {
    stopping.abort();
    await ended;
  });
  return { outbox, seen, pauses, lost, signal: stopping.signal };
}

describe('a signature', () => {
  it('is the one of the example in the specification', () =>
    assert.deepEqual(
      signedHeaders(
        'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        'msg_p5jXN8AQM9LWM0D4loKWxJek',
        1_614_265_330_999,
        '{"test": 2432232314}',
      ),
      {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      },
    ));
});

describe('an outbox', () => {
  it('leaves no listener behind for each notice', async (t) => {
    const { outbox, seen, signal } = open(t, () => ACCEPTED);
    for (let i = 1; i <= 12; i++) {
      outbox.add([body(`${i}`)]);
      await until(`${i} are sent`, () => seen.length === i && outbox.waiting.length === 0);
    }
    assert.ok(getEventListeners(signal, 'abort').length <= 1);
  });

  it('sends in order, and retries a notice under the same id before the next', async (t) => {
    const { outbox, seen, pauses } = open(t, (attempt) => (attempt < 3 ? FAILED : ACCEPTED));
    outbox.add([body('a'), body('b')]);
    await until('it is sent', () => outbox.waiting.length === 0);
    assert.deepEqual(
      seen.map(({ message }) => message),
      ['a', 'a', 'a', 'b'],
    );
    assert.equal(new Set(seen.map(({ id }) => id)).size, 2);
    assert.ok(pauses.length === 2 && pauses.every((ms) => ms >= 1000 && ms <= 10_000), String(pauses));
    assert.equal(outbox.sent, 2);
  });

  it('waits for as long as requested', async (t) => {
    const { outbox, pauses } = open(t, (attempt) =>
      attempt === 1 ? { ...FAILED, pauseMs: 90_000 } : ACCEPTED,
    );
    outbox.add([body('a')]);
    await until('it is sent', () => outbox.sent === 1);
    assert.ok((pauses[0] ?? 0) >= 90_000, String(pauses));
  });

  it('gives up a refused notice, and sends the next', async (t) => {
    const refused: Posted = {
      kind: 'refused',
      fault: { code: 'http-400', message: 'refuses a notice with status 400' },
    };
    const { outbox, lost } = open(t, (attempt) => (attempt === 1 ? refused : ACCEPTED));
    outbox.add([body('a'), body('b')]);
    await until('it is sent', () => outbox.waiting.length === 0);
    assert.deepEqual([outbox.sent, lost], [1, ['1: refuses a notice with status 400']]);
  });

  it('sends nothing more to a receiver that wants nothing more', async (t) => {
    const gone: Posted = { kind: 'gone', fault: { code: 'http-410', message: 'answers 410' } };
    const { outbox, seen, lost } = open(t, () => gone);
    outbox.add([body('a'), body('b')]);
    await until('it is sent', () => lost.length > 0);
    outbox.add([body('c')]);
    assert.deepEqual([outbox.waiting.length, seen.length, lost], [0, 1, ['2: answers 410']]);
  });

  it('sends twenty at once, then one every two seconds', async (t) => {
    const { outbox, pauses } = open(t, () => ACCEPTED);
    outbox.add(Array.from({ length: 25 }, (_, i) => body(String(i))));
    await until('it is sent', () => outbox.sent === 25);
    assert.deepEqual(pauses, [2000, 2000, 2000, 2000, 2000]);
  });

  it('keeps the newest five hundred', (t) => {
    const { outbox, lost } = open(t, () => FAILED);
    outbox.add(Array.from({ length: 503 }, (_, i) => body(String(i))));
    assert.equal(outbox.waiting.length, 500);
    assert.equal(outbox.waiting[0]?.body.data.message, '3');
    assert.deepEqual(lost, ['3: more than 500 wait']);
  });

  it('gives up notices that are a day old', async (t) => {
    const old = { id: 'msg_1', atMs: Date.now() - 86_500_000, body: body('old') };
    const { outbox, lost, seen } = open(t, () => ACCEPTED, [old]);
    outbox.add([body('new')]);
    await until('it is sent', () => outbox.sent === 1);
    assert.deepEqual([lost, seen.map(({ message }) => message)], [['1: they waited for 24 hours'], ['new']]);
  });
});

describe('the file of notices', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-notices-'));
  after(() => rmSync(dir, { recursive: true }));
  const file = path.join(dir, 'notices.json');
  const state = {
    k: {
      troubles: { 'camera gate': { since: 5, told: ['quarantined'] } },
      waiting: [{ id: 'msg_1', atMs: 5, body: body('a') }],
    },
  };

  it('stores what was reported and what waits, for its owner alone', () => {
    assert.deepEqual(readState(file), {});
    writeState(file, JSON.stringify(state));
    assert.deepEqual(readState(file), JSON.parse(JSON.stringify(state)));
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('names webhooks without revealing their URLs, even two with the same URL', () => {
    const url = 'https://hooks.example.org/services/C4nary';
    const keys = keysOf([{ url }, { url: 'https://other/' }, { url }]);
    assert.equal(new Set(keys).size, 3);
    assert.doesNotMatch(keys.join(), /C4nary|hooks/);
    assert.deepEqual(keysOf([{ url }])[0], keys[0]);
  });

  for (const text of [
    '',
    '{',
    '[]',
    '{"k":1}',
    '{"k":{"troubles":{"x":{"since":"1","told":[]}},"waiting":[]}}',
    '{"k":{"troubles":{},"waiting":[{"id":"a b"}]}}',
  ])
    it(`is refused as ${JSON.stringify(text)}`, () => {
      writeFileSync(file, text);
      assert.throws(() => readState(file));
      assert.equal(readFileSync(file, 'utf8'), text);
    });
});
