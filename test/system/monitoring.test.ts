/** examples/monitoring with real programs: promtool, and a Prometheus that scrapes a daemon and fires alerts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'amqplib';
import { defaultQueue } from '../../src/contract/broker-names';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { newNamespace, remoteServers } from '../../lab/events';
import { startMjpegServer, type MjpegServer } from '../../lab/feeds/mjpeg-server';
import { freePort } from '../../lab/free-port';
import { waitUntil } from '../../lab/process';
import { hurriedCopy, MONITORING, promtool, startPrometheus, type Prometheus } from '../../lab/prometheus';
import { served } from '../../lab/served';
import { testServers } from '../../lab/servers';

const ROOT = path.resolve(__dirname, '../..');
const TOKEN = 'T0ken-0f-th1s-test';
const RULES = path.join(MONITORING, 'vigil.rules.yml');
const METRIC = /\bvigil_[a-z_]+\b/g;
/** Queries that may have no data: dropped frames, past gaps, recent restarts, keyframes of MJPEG. */
const MAY_BE_EMPTY = /> 0\)$|\(reason\) \(rate|keyframe/;

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
}

const dashboardText = readFileSync(path.join(MONITORING, 'grafana-dashboard.json'), 'utf8');
const dashboard = JSON.parse(dashboardText) as Dashboard;

/** The rows of the table of metrics in docs/monitoring.md. */
function documented(): { name: string; type: string; unit: string; labels: string[] }[] {
  const page = readFileSync(path.join(ROOT, 'docs/monitoring.md'), 'utf8');
  return [...page.matchAll(/^\| `(vigil_\w+)` +\| (\w+) +\| ([\w ]+?) +\| ([^|]*)\|/gm)].map(
    ([, name = '', type = '', unit = '', labels = '']) => ({
      ...{ name, type, unit },
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
    }),
  );
}

function typesIn(scrape: string): Map<string, string> {
  return new Map(
    [...scrape.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
}

/** The labels of each metric; a metric without a series is absent. */
function labelsIn(scrape: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, series = '', labels = ''] of scrape.matchAll(/^(vigil_\w+)(?:\{(.*)\})? /gm)) {
    const name = series.replace(/_(?:bucket|sum|count)$/, '');
    const of = found.get(name) ?? new Set<string>();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) of.add(label);
    found.set(name, of);
  }
  return found;
}

describe('the alert rules', () => {
  test('pass promtool', async () => {
    const { code, said } = await promtool(['check', 'rules', RULES]);
    assert.equal(code, 0, said);
    assert.match(said, /SUCCESS: 6 rules found/);
  });

  test('fire when they should, and only then', async () => {
    const { code, said } = await promtool(['test', 'rules', path.join(MONITORING, 'vigil.rules.test.yml')]);
    assert.equal(code, 0, said);
  });

  test('are all listed in docs/monitoring.md, with their delay', () => {
    const rules = readFileSync(RULES, 'utf8').split('- alert: ').slice(1);
    const page = readFileSync(path.join(ROOT, 'docs/monitoring.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `(Vigil\w+)` +\|[^|]+\| (?:(\d+) min|at once) +\|/gm)];
    assert.deepEqual(
      rows.map(([, name, minutes]) => [name, minutes]),
      rules.map((text) => [/^\w+/.exec(text)?.[0], /for: (\d+)m/.exec(text)?.[1]]),
    );
  });
});

describe('a Prometheus that scrapes a daemon', { concurrency: false }, () => {
  const namespace = newNamespace();
  let [feed, daemon, prometheus] = [] as unknown as [MjpegServer, Daemon, Prometheus];
  let [base, scrape] = ['', ''];
  /** Stops whatever has been started, even if a later start failed. */
  const started: (() => Promise<unknown>)[] = [];

  const metrics = async () => {
    const response = await fetch(new URL('/metrics', base), {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    assert.equal(response.status, 200);
    return response.text();
  };
  const fires = async (name: string, camera?: string) =>
    (await prometheus.firing(name)).some(({ labels }) => labels['camera'] === camera);

  before(async () => {
    feed = await startMjpegServer({ width: 64, height: 48, fps: 5 });
    started.push(() => feed.stop());
    daemon = startDaemon({
      config: {
        ...{
          namespace,
          ...remoteServers(),
          http: { port: await freePort(60_000), token: TOKEN, metricsTags: true },
        },
        cameras: [
          { id: 'gate', url: feed.url('/video'), tags: ['north'] },
          { id: 'test', test: 'testsrc2', width: 64 },
          { id: 'gone', url: 'rtsp://127.0.0.1:1/live' },
          { id: 'off', test: 'testsrc2', enabled: false },
        ],
      },
    });
    started.push(() => daemon.stop());
    base = await served(daemon);
    const dir = hurriedCopy(new URL(base).host, TOKEN);
    const { code, said } = await promtool(['check', 'config', path.join(dir, 'prometheus.yml')]);
    assert.equal(code, 0, said);
    prometheus = await startPrometheus(dir);
    started.push(() => prometheus.stop());
    process.kill(await daemon.actorPid('camera:test'), 'SIGKILL');
    const known =
      /condition="offline"[^]*vigil_actor_ends_total\{actor="camera:test"[^]*vigil_capture_to_confirm_seconds_count [1-9]/;
    await waitUntil('all is known', async () => {
      scrape = await metrics();
      const isKnown = ['gate', 'test'].every((camera) =>
        scrape.includes(`vigil_camera_condition{camera="${camera}",condition="delivering"} 1`),
      );
      return isKnown && known.test(scrape) && /^vigil_queue_consumers 0$/m.test(scrape);
    });
  });
  after(async () => {
    for (const stop of started.reverse()) await stop();
  });

  test('gets metrics that pass promtool', async () => {
    const { code, said } = await promtool(['check', 'metrics'], scrape);
    assert.deepEqual({ code, said }, { code: 0, said: '' });
  });

  test('gets each metric of the dashboard and of the alerts', () => {
    const types = typesIn(scrape);
    const exists = (name: string) =>
      types.has(name) || types.get(name.replace(/_(?:bucket|sum|count)$/, '')) === 'histogram';
    for (const text of [dashboardText, readFileSync(RULES, 'utf8')]) {
      const names = [...new Set(text.match(METRIC))];
      assert.ok(names.length > 5);
      assert.deepEqual(
        names.filter((name) => !exists(name)),
        [],
      );
    }
  });

  test('gets the names, types, units and labels that docs/monitoring.md states', () => {
    const rows = documented();
    assert.deepEqual(rows.map(({ name, type }) => [name, type]).sort(), [...typesIn(scrape)].sort());
    const labels = labelsIn(scrape);
    for (const row of rows) {
      const found = labels.get(row.name);
      if (found !== undefined) assert.deepEqual([...found].sort(), [...row.labels].sort(), row.name);
      for (const unit of ['seconds', 'bytes'])
        assert.equal(row.name.includes(`_${unit}`), row.unit === unit, `${row.name}: ${row.unit}`);
    }
  });

  test('answers each query of the dashboard, with the labels its legend names', async () => {
    const variables: Readonly<Record<string, string>> = {
      ...{ instance: '.*', camera: '.*', __rate_interval: '10s' },
    };
    const targets = dashboard.panels.flatMap(({ title, targets: of = [] }) =>
      of.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
    );
    assert.ok(targets.length > 30);
    for (const { title, expr, legendFormat } of targets) {
      const query = expr.replaceAll(/\$(\w+)/g, (_, name: string) => variables[name] ?? assert.fail(name));
      let labels: string[] | undefined;
      const hasResult = async () => {
        const [first] = await prometheus.query(query);
        labels = first === undefined ? undefined : Object.keys(first.metric);
        return first !== undefined;
      };
      if (MAY_BE_EMPTY.test(expr)) await hasResult();
      else await waitUntil(`"${title}" shows data: ${query}`, hasResult);
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      if (labels !== undefined)
        assert.deepEqual(
          named.filter((label) => labels?.includes(label) === false),
          [],
          title,
        );
    }
  });

  test('fires VigilNoConsumer until a detection service consumes', async () => {
    await waitUntil('the alert fires', () => fires('VigilNoConsumer'));
    const connection = await connect(testServers().amqpUrl);
    try {
      const channel = await connection.createChannel();
      await channel.consume(defaultQueue(namespace), () => undefined, { noAck: true });
      await waitUntil('the alert has gone', async () => !(await fires('VigilNoConsumer')));
    } finally {
      await connection.close();
    }
  });

  test('fires VigilCameraSilent for a camera that falls silent, not for one that delivers or is disabled', async () => {
    await waitUntil('it fires for the camera that is gone', () => fires('VigilCameraSilent', 'gone'));
    await waitUntil(
      'it does not fire for one that delivers',
      async () => !(await fires('VigilCameraSilent', 'gate')),
    );
    await feed.stop();
    await waitUntil('it fires for the camera that was stopped', () => fires('VigilCameraSilent', 'gate'));
    assert.ok(!(await fires('VigilCameraSilent', 'off')));
  });

  test('fires VigilDown when the daemon has ended', async () => {
    await waitUntil('it does not fire before', async () => !(await fires('VigilDown')));
    await daemon.stop();
    await waitUntil('the alert fires', () => fires('VigilDown'));
  });
});
