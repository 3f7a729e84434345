/** Edits in a fleet: three daemons, each with its own file, three etcd nodes, and one list of cameras. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { vigil } from '../../lab/command';
import { newDir } from '../../lab/daemon';
import { startEtcd, type EtcdCluster } from '../../lab/etcd-cluster';
import { Etcd } from '../../src/etcd/etcd';
import { Fleet, type Node } from '../../lab/fleet';
import { waitUntil } from '../../lab/process';

/** Two seconds are promised for an idle machine; this is the limit for a busy one. */
const FOLLOW_MS = 30_000;
const KEY = Buffer.alloc(32, 3).toString('base64');

let cluster: EtcdCluster;
before(async () => {
  cluster = await startEtcd();
});
after(() => cluster.stop());

function fileOf(node: Node): string {
  return path.join(node.daemon.dir, 'actors.json');
}

/** The cameras in a node's file, as text. */
function textOf(node: Node): string {
  return readFileSync(fileOf(node), 'utf8');
}

describe('an edit in a fleet', () => {
  test('is on all nodes within two seconds, on whichever node and by whatever means it was made, or is refused there', async (t) => {
    const cameras = [{ id: 'c1', test: 'testsrc2', width: 64 }];
    const options = {
      etcd: cluster.endpoints,
      cameras,
      after: (close: () => Promise<void>) => t.after(close),
    };
    const fleet = await Fleet.open(options);
    const env = { VIGIL_FLEET_KEY: KEY };
    const [a, b, c] = ['a', 'b', 'c'].map((name) => fleet.start(name, { env, comment: `// of ${name}` })) as [
      Node,
      Node,
      Node,
    ];
    const nodes = [a, b, c];
    await fleet.shared(nodes);
    const follow = async (what: string, ids: readonly string[], files = nodes) => {
      const startMs = performance.now();
      const knows = async (node: Node) => {
        const { cameras: owned, unowned } = await fleet.status(node);
        return [...owned.map(({ id }) => id), ...unowned].sort().join() === ids.join();
      };
      await waitUntil(what, async () => (await Promise.all(nodes.map(knows))).every(Boolean), FOLLOW_MS);
      await waitUntil(
        `${what}, in the files`,
        () => files.every((node) => ids.every((id) => textOf(node).includes(`"${id}"`))),
        FOLLOW_MS,
      );
      t.diagnostic(`${what}: ${Math.round(performance.now() - startMs)} ms`);
    };

    writeFileSync(fileOf(a), textOf(a).replace('"cameras":[', '"cameras":[{"id":"c2","test":"testsrc2"},'));
    await follow('a camera is saved in the file of a', ['c1', 'c2']);
    for (const { name, daemon } of nodes)
      assert.match(readFileSync(path.join(daemon.dir, 'actors.json'), 'utf8'), new RegExp(`// of ${name}`));
    const places = (node: Node) => ['--config', fileOf(node), '--data-dir', node.daemon.dataDir];
    const url = 'url=rtsp://canary-user:canary-password@127.0.0.1:9/x';
    const added = vigil(['camera', 'add', 'c3', url, 'enabled=false', ...places(b)]);
    assert.equal(added.status, 0, added.stdout + added.stderr);
    await waitUntil(
      'the files have it',
      () => nodes.every((node) => textOf(node).includes('"c3"')),
      FOLLOW_MS,
    );
    assert.match(textOf(c), /canary-password/);

    const other = path.join(newDir(), 'other.json');
    writeFileSync(
      other,
      JSON.stringify({ cameras: [...cameras, { id: 'c4', test: 'testsrc2', width: 64 }] }),
    );
    chmodSync(fileOf(b), 0o444);
    const applied = vigil(['apply', '--config', other, '--data-dir', c.daemon.dataDir]);
    assert.equal(applied.status, 0, applied.stdout + applied.stderr);
    assert.match(applied.stdout, /start +camera:c4/);
    await follow('another file is applied on c', ['c1', 'c4'], [a, c]);
    assert.doesNotMatch(textOf(b), /"c4"/);
    const said = vigil(['status', '--data-dir', b.daemon.dataDir]).stdout.replace(/\s+/g, ' ');
    assert.match(said, /cameras: revision 4 of the fleet, published by node "c"/);
    assert.match(said, /differ from the fleet's, which are used: .*read-only/);

    const edits = [a, c].map(async ({ daemon }, i) => {
      const text = readFileSync(path.join(daemon.dir, 'actors.json'), 'utf8');
      writeFileSync(
        path.join(daemon.dir, 'actors.json'),
        text.replace(
          /"cameras":\s*\[/,
          `"cameras":[{"id":"at-once-${i}","test":"testsrc2","enabled":false},`,
        ),
      );
    });
    await Promise.all(edits);
    const revision = async ({ daemon }: Node) => (await daemon.status()).configuration.fleet?.revision;
    await waitUntil(
      'one of two edits at once has won',
      async () => (await Promise.all(nodes.map(revision))).every((of) => of === 5 || of === 6),
      FOLLOW_MS,
    );
    // On a busy machine the second may come after the first: then both are present, or it replaced the first.
    await waitUntil(
      'a and c have the same cameras',
      () =>
        textOf(a)
          .match(/at-once-\d/g)
          ?.join() ===
        textOf(c)
          .match(/at-once-\d/g)
          ?.join(),
      FOLLOW_MS,
    );
    await waitUntil('the loser is notified', () => {
      const told = [a, c].filter(({ daemon }) => daemon.log.some(({ code }) => code === 'fleet-replaced'));
      const winners = textOf(a).match(/at-once-\d/g) ?? [];
      return told.length + winners.length === 2;
    });

    const etcd = new Etcd({ endpoints: cluster.endpoints });
    t.after(() => etcd.close());
    const everything = JSON.stringify(await etcd.list('/vigil/'));
    assert.match(everything, /configuration/);
    assert.doesNotMatch(everything, /canary/);
    for (const { daemon } of nodes) assert.doesNotMatch(daemon.output(), /canary/);

    for (const node of cluster.nodes) node.signal('SIGSTOP');
    t.after(() => cluster.nodes.forEach((node) => node.signal('SIGCONT')));
    const away = vigil(['camera', 'add', 'c9', 'test=testsrc2', ...places(a)]);
    assert.equal(away.status, 69, away.stdout + away.stderr);
    assert.match(away.stderr, /could not be published to the fleet \(etcd at .* cannot be reached/);
    assert.doesNotMatch(textOf(a), /"c9"/);
  });
});
