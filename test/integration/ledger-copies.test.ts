/** Ledger files copied to a real Redis as they grow, and read by another node. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import Redis from 'ioredis';
import type { Topology } from '../../src/config/topology';
import { LedgerCopies } from '../../src/ledger/copies';
import { hourOf, ledgerFileName } from '../../src/ledger/file-names';
import { copyEndOfLedger } from '../../src/supervisor/last-copy';
import { newNamespace } from '../../lab/events';
import { testServers } from '../../lab/servers';

const FILE = ledgerFileName({ number: 1, hour: hourOf(Date.now()) });

function bench(t: TestContext) {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-copies-'));
  const redis = new Redis(testServers().redisUrl);
  t.after(() => {
    redis.disconnect();
    rmSync(dir, { recursive: true });
  });
  const namespace = newNamespace();
  return { dir, file: path.join(dir, FILE), redis, namespace, copies: new LedgerCopies(redis, namespace) };
}

test('a ledger file is copied as it grows, copied again after compaction, and read up to its last whole line', async (t) => {
  const { file, copies } = bench(t);
  writeFileSync(file, 'one\n');
  const first = await copies.copyFile('north', file);
  appendFileSync(file, 'two\nthr');
  const second = await copies.copyFile('north', file, first);
  assert.equal(second?.bytes, 11);
  assert.deepEqual(await copies.read('north', Date.now()), ['one\ntwo\n']);
  writeFileSync(`${file}.new`, 'all\n');
  renameSync(`${file}.new`, file);
  await copies.copyFile('north', file, second);
  assert.deepEqual(await copies.read('north', Date.now()), ['all\n']);
  assert.deepEqual(await copies.nodes(), ['north']);
  rmSync(file);
  assert.equal(await copies.copyFile('north', file, second), undefined);
});

test('a file that takes more than one chunk is copied whole', async (t) => {
  const { file, copies } = bench(t);
  const text = `${'x'.repeat(700_000)}\n`;
  writeFileSync(file, text);
  await copies.copyFile('north', file);
  assert.deepEqual(await copies.read('north', Date.now()), [text]);
});

test('a copy that Redis has lost is forgotten', async (t) => {
  const { file, copies, redis, namespace } = bench(t);
  writeFileSync(file, 'one\n');
  await copies.copyFile('north', file);
  await redis.del(`${namespace}:ledger:north:${FILE}`);
  assert.deepEqual(await copies.read('north', Date.now()), []);
  assert.deepEqual(await redis.smembers(`${namespace}:ledger:north`), []);
});

test('a daemon that stops copies the end of its ledger, and does not wait for a Redis that is away', async (t) => {
  const { dir, file, copies, namespace } = bench(t);
  writeFileSync(file, 'one\n');
  const fleet = { etcd: [], name: 'site', node: 'north', capacity: 1 };
  const topology = { namespace, fleet } as unknown as Topology;
  await copyEndOfLedger(topology, 'redis://127.0.0.1:1', dir);
  assert.deepEqual(await copies.nodes(), []);
  await copyEndOfLedger(topology, testServers().redisUrl, dir);
  assert.deepEqual(await copies.read('north', Date.now()), ['one\n']);
});
