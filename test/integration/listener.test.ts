/** Which user's process listens on a port, as the kernel reports it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { connectBroker } from '../../src/connections/rabbitmq';
import { brokerFault } from '../../src/connections/rabbitmq-fault';
import { listenerOf, ownedBy, throwOnForeignListener } from '../../src/connections/rabbitmq-listener';

const NOBODY = 65_534;
const own = process.geteuid?.() ?? 0;
const linux = process.platform === 'linux' ? {} : { skip: 'only Linux tells' };
const asNobody = own === 0 ? linux : { skip: 'only root can listen as another user' };

/** proc(5), `/proc/net/tcp`, with a listener elsewhere, a connection, and the listener on port 5672. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0500000A:1628 00000000:0000 0A 00000000:00000000 00:00000000 00000000   666        0 11 1 0 100 0 0 10 0
   1: 0100007F:1628 0100007F:D2F4 01 00000000:00000000 00:00000000 00000000   667        0 12 1 0 100 0 0 10 0
   2: 0100007F:1628 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 13 1 0 100 0 0 10 0
`;

describe('the listener of a port on loopback', () => {
  it('is the one on 127.0.0.1, in either byte order, and not one on another address, nor a connection', () => {
    assert.equal(listenerOf(TABLE, 5672), 1000);
    assert.equal(listenerOf(TABLE.replaceAll('0100007F', '7F000001'), 5672), 1000);
    assert.equal(listenerOf(TABLE, 5673), undefined);
    assert.equal(listenerOf(TABLE.replace(' 2: 0100007F', ' 2: 00000000'), 5672), undefined);
    assert.equal(listenerOf('', 5672), undefined);
  });

  it(
    'is looked up in the kernel: our own is accepted, and without one connections are refused',
    linux,
    async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `amqp://u:hush@127.0.0.1:${(server.address() as AddressInfo).port}/`;
      throwOnForeignListener(ownedBy(url, own));
      assert.throws(() => throwOnForeignListener(ownedBy(url, own + 1)), /foreign listener/);
      throwOnForeignListener(url);
      server.close();
      await once(server, 'close');
      assert.throws(() => throwOnForeignListener(ownedBy(url, own)), /ECONNREFUSED/);
    },
  );

  it('is sent nothing if it belongs to another user, which the fault says', asNobody, async () => {
    const program = `require('node:net').createServer((socket) => socket.on('data', () => process.stdout.write('heard')))
      .listen(0, '127.0.0.1', function () { process.stdout.write(String(this.address().port)); });`;
    const child = spawn(process.execPath, ['-e', program], { uid: NOBODY, gid: NOBODY, cwd: '/', env: {} });
    try {
      let said = '';
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      const url = `amqp://u:hush@127.0.0.1:${port.toString()}/`;
      const open = (of: string) => connectBroker(of, 'test', AbortSignal.timeout(1000));
      await assert.rejects(open(ownedBy(url, own)), (error: Error) => {
        assert.deepEqual(brokerFault(ownedBy(url, own), error).code, 'broker-foreign');
        return true;
      });
      assert.equal(said, '');
      await assert.rejects(open(url));
      assert.equal(said, 'heard');
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});
