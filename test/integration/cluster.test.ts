/** The notifier on a real RabbitMQ cluster of three: the leader of its queue dies, then its host is cut off. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect } from 'amqplib';
import startNotifier from '../../src/actors/notifier/actor';
import type { Actor } from '../../src/protocol/actor';
import { startCluster, type RabbitCluster } from '../../lab/rabbit-cluster';
import { waitUntil } from '../../lab/process';

/** Limit from the fault to the recovery; a heartbeat detects a frozen broker after 8 to 12 s. */
const SILENCE_MS = 30_000;

describe('the notifier on a cluster of three nodes', () => {
  let cluster: RabbitCluster;
  let actor: Actor | undefined;
  let [announced, fault] = [0, 'starting' as string | undefined];
  const lines: string[] = [];
  const confirmed = new Set<number>();
  const unanswered = new Set<number>();
  let timer: NodeJS.Timeout | undefined;

  before(async () => {
    cluster = await startCluster();
  });

  after(async () => {
    clearInterval(timer);
    await actor?.stop();
    await cluster.stop();
  });

  function open(url: string): void {
    const write = (line: string) => lines.push(line);
    const queue = {
      name: 'v.detection',
      maxLength: 100_000,
      overflow: 'reject-publish',
      deliveryLimit: 5,
      required: true,
    } as const;
    const waiting = new Set<number>();
    const announce = (capturedAt: number) => {
      unanswered.add(capturedAt);
      const picture = { sequence: capturedAt, width: 1, height: 1, format: 'jpeg', bytes: 1 } as const;
      actor?.receive({ kind: 'announce', frame: { camera: 'c', capturedAt, ...picture }, delayed: false });
    };
    actor = startNotifier({
      parameters: { amqpUrl: url, namespace: 'v', expireMs: 600_000, queue },
      log: { error: write, warn: write, info: write, debug: write },
      report: (report) => {
        if (report.kind === 'readiness') fault = report.fault?.code;
        if (report.kind !== 'announced') return;
        const at = Number(report.id.split('-')[1]);
        unanswered.delete(at);
        if (report.fault === undefined) confirmed.add(at);
        else waiting.add(at);
      },
    });
    // Announces a new frame and retries refused ones, as the store does.
    timer = setInterval(() => {
      for (const at of [...waiting].slice(0, 5)) {
        waiting.delete(at);
        announce(at);
      }
      announce(++announced);
    }, 100);
  }

  /** Waits until all frames and one announced after now are confirmed; returns the milliseconds. */
  async function back(): Promise<number> {
    const [begun, from] = [performance.now(), announced];
    await waitUntil(
      'frames are confirmed again',
      () => [...confirmed].some((at) => at > from + 1),
      SILENCE_MS,
    ).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; it said:\n${lines.join('\n')}`);
    });
    return performance.now() - begun;
  }

  /** Waits until another host is on standby and frames have been confirmed since. */
  async function standsBy(): Promise<void> {
    await waitUntil('another host is on standby', async () => {
      const rows = await cluster.nodes[0]?.control('list_connections', 'client_properties');
      return (
        rows?.split('\n').filter((row) => row.includes('"connection_name","vigil notifier"}')).length === 2
      );
    });
    await back();
  }

  test('a leader killed on another host, then a leading host that is cut off silently, cost seconds and no frame', async (t) => {
    const [one, two, three] = cluster.nodes;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    // The node on which a queue is declared becomes its leader.
    await declareOn(three.port);
    open(cluster.url);
    await waitUntil('frames are confirmed', () => confirmed.size > 5, 60_000);
    assert.equal(await cluster.leaderOf('v.detection'), three);

    await three.kill();
    t.diagnostic(`leader killed: confirmed again after ${(await back()).toFixed(0)} ms`);
    await three.start();

    await cluster.lead('v.detection', one);
    await standsBy();
    one.network = { kind: 'black-hole' };
    t.diagnostic(`host cut off: confirmed again after ${(await back()).toFixed(0)} ms`);
    await waitUntil('it is ready', () => fault === undefined);

    clearInterval(timer);
    await waitUntil('all are answered', () => unanswered.size === 0, SILENCE_MS);
    await actor?.stop();
    // A restart removes what the cut left on the node, so that its queues can be read.
    one.network = { kind: 'sound' };
    await one.kill();
    await one.start();
    assert.deepEqual(await missing(two.port, confirmed), []);
  });

  async function declareOn(port: number): Promise<void> {
    open(`amqp://guest:guest@127.0.0.1:${port}/`);
    await waitUntil('it is declared', () => confirmed.size > 0, 60_000);
    clearInterval(timer);
    await waitUntil('all are answered', () => unanswered.size === 0);
    await actor?.stop();
  }

  /** The frames that no message announces. */
  async function missing(port: number, frames: ReadonlySet<number>): Promise<number[]> {
    const connection = await connect(`amqp://guest:guest@127.0.0.1:${port}/`);
    const channel = await connection.createChannel();
    const left = new Set(frames);
    for (;;) {
      const message = await channel.get('v.detection', { noAck: true });
      if (message === false) break;
      left.delete(
        (JSON.parse(message.content.toString()) as { data: { capturedAt: number } }).data.capturedAt,
      );
    }
    await connection.close();
    return [...left];
  }
});
