/** What an embedded broker is given: limits that fit the machine, and a user whose password may change. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { brokerConfiguration, brokerDefinitions } from '../../../src/embedded/rabbitmq-files';

const MIB = 1024 * 1024;
const setting = (text: string, name: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} = `))
      ?.split(' = ')[1],
  );

describe('an embedded broker', () => {
  for (const [machine, expected] of [
    [512 * MIB, 0.4 * 512 * MIB],
    [1024 * MIB, 400 * MIB],
    [64 * 1024 * MIB, 400 * MIB],
  ] as const)
    it(`stops publishers at ${Math.floor(expected / MIB)} MiB if there are ${machine / MIB}`, () => {
      const text = brokerConfiguration(5672, machine);
      assert.equal(setting(text, 'vm_memory_high_watermark.absolute'), Math.floor(expected));
    });

  it('keeps room on the disk for three of its write-ahead logs', () => {
    const text = brokerConfiguration(5672);
    const [free, log] = ['disk_free_limit.absolute', 'raft.wal_max_size_bytes'].map((name) =>
      setting(text, name),
    );
    assert.ok((free ?? 0) >= 3 * (log ?? Infinity), text);
  });

  it('receives the password as a salted hash, never in plain text', () => {
    const text = brokerDefinitions('hush', Buffer.from([1, 2, 3, 4]));
    const { users } = JSON.parse(text) as { users: [{ password_hash: string }] };
    const hash = Buffer.from(users[0].password_hash, 'base64');
    const digest = createHash('sha256')
      .update(Buffer.from([1, 2, 3, 4]))
      .update('hush')
      .digest();
    assert.deepEqual(hash, Buffer.concat([Buffer.from([1, 2, 3, 4]), digest]));
    assert.ok(!text.includes('hush'));
  });
});
