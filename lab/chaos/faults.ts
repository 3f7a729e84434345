/** The fault table's rows: what is done to the world, for how long, and how it is undone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../../src/commands/exit-codes';
import { frameExchange } from '../../src/contract/broker-names';
import type { Network } from '../fault-proxy';
import { clusterRows } from './cluster-faults';
import { outOfDescriptors } from './descriptor-fault';
import { diskRows } from './disk-faults';
import { operationRows } from './operation-faults';
import type { PrivateRabbitmq, PrivateRedis } from './private-server';
import { repeatedly, serversOf, type Row } from './row';

const STOP_MS = 30_000;
const HOUR_MS = 3_600_000;
const FULL_QUEUE = 20;

type Name = 'redis' | 'rabbitmq';

function killing(actor: string): Row {
  return {
    name: `${actor}-kill`,
    inject: (world, ms) => repeatedly(ms, async () => process.kill(await world.actorPid(actor), 'SIGKILL')),
  };
}

/** The supervisor may find it out and replace it: then there is nothing to wake. */
function freezing(actor: string): Row {
  return {
    name: `${actor}-freeze`,
    inject: async (world, ms) => {
      const pid = await world.actorPid(actor);
      process.kill(pid, 'SIGSTOP');
      await sleep(ms);
      if (pid === (await world.actorPid(actor))) process.kill(pid, 'SIGCONT');
    },
  };
}

const daemonRows: readonly Row[] = [
  {
    name: 'daemon-kill',
    inject: (world, ms) => repeatedly(ms, () => process.kill(world.daemonPid, 'SIGKILL')),
  },
  {
    name: 'daemon-freeze',
    inject: async (world, ms) => {
      const pid = world.daemonPid;
      process.kill(pid, 'SIGSTOP');
      await sleep(ms);
      process.kill(pid, 'SIGCONT');
    },
  },
];

function serverRows(name: Name): Row[] {
  const row = (
    fault: string,
    inject: (server: PrivateRedis | PrivateRabbitmq, ms: number) => Promise<void>,
  ): Row => ({
    name: `${name}-${fault}`,
    needs: 'servers',
    inject: (world, ms) => inject(serversOf(world)[name], ms),
  });
  return [
    row('kill', async (server, ms) => {
      await server.kill();
      await sleep(ms);
      await server.start();
    }),
    row('stop', async (server, ms) => {
      await Promise.all([server.stop(), sleep(ms)]);
      await server.start();
    }),
    row('moved', async (server, ms) => {
      await Promise.all([server.stop(), sleep(ms)]);
      await server.move();
      await server.start();
    }),
    row('freeze', async (server, ms) => {
      server.signal('SIGSTOP');
      await sleep(ms);
      server.signal('SIGCONT');
    }),
  ];
}

function networkRows(name: Name): Row[] {
  const networks: readonly Network[] = [
    { kind: 'black-hole' },
    { kind: 'reset' },
    { kind: 'half-open' },
    { kind: 'latency', ms: 400 },
    { kind: 'slow-reader', bytesPerSecond: 4000 },
  ];
  return networks.map((network) => ({
    name: `${name}-${network.kind}`,
    inject: async ({ redisProxy, amqpProxy }, ms) => {
      const proxy = name === 'redis' ? redisProxy : amqpProxy;
      proxy.network = network;
      await sleep(ms);
      proxy.network = { kind: 'sound' };
    },
  }));
}

/** Both a network away: 50 ms for the way there and back. */
const serversFar: Row = {
  name: 'servers-far',
  inject: async ({ redisProxy, amqpProxy }, ms) => {
    for (const proxy of [redisProxy, amqpProxy]) proxy.network = { kind: 'latency', ms: 25 };
    await sleep(ms);
    for (const proxy of [redisProxy, amqpProxy]) proxy.network = { kind: 'sound' };
  },
};

const redisOom: Row = {
  name: 'redis-oom',
  needs: 'servers',
  inject: async (world, ms) => {
    const { redis } = serversOf(world);
    await redis.configure('maxmemory', '1000000');
    await sleep(ms);
    await redis.configure('maxmemory', '0');
  },
};

/** A fault that rabbitmqctl sets in the broker, and clears. */
function controlled(name: string, begin: readonly string[], end: readonly string[]): Row {
  return {
    name: `rabbitmq-${name}`,
    needs: 'servers',
    inject: async (world, ms) => {
      const { rabbitmq } = serversOf(world);
      await rabbitmq.control(...begin);
      await sleep(ms);
      await rabbitmq.control(...end);
    },
  };
}

const brokerRows: readonly Row[] = [
  controlled(
    'memory-alarm',
    ['set_vm_memory_high_watermark', '0.000001'],
    ['set_vm_memory_high_watermark', '0.4'],
  ),
  controlled('disk-alarm', ['set_disk_free_limit', '100000GB'], ['set_disk_free_limit', '50MB']),
  {
    name: 'rabbitmq-queue-full',
    needs: 'servers',
    inject: async (world, ms) => {
      const { rabbitmq } = serversOf(world);
      const policy = JSON.stringify({ 'max-length': FULL_QUEUE, overflow: 'reject-publish' });
      await world.consumer.pause();
      await rabbitmq.control('set_policy', 'full', '\\.detection$', policy, '--apply-to', 'queues');
      await sleep(ms);
      world.consumer.resume();
      await rabbitmq.control('clear_policy', 'full');
    },
  },
  {
    name: 'rabbitmq-foreign-queue-full',
    needs: 'servers',
    inject: async (world, ms) => {
      const { rabbitmq } = serversOf(world);
      const exchange = frameExchange(world.options.namespace);
      await rabbitmq.withFullQueue(exchange, 'camera.#', () => sleep(ms));
    },
  },
  {
    name: 'rabbitmq-exchange-deleted',
    needs: 'servers',
    inject: async (world, ms) => {
      const { rabbitmq } = serversOf(world);
      await repeatedly(ms, () => rabbitmq.deleteExchange(frameExchange(world.options.namespace)));
    },
  },
  {
    name: 'rabbitmq-connection-closed',
    needs: 'servers',
    inject: async (world, ms) => {
      const { rabbitmq } = serversOf(world);
      await repeatedly(ms, () => rabbitmq.control('close_all_connections', 'chaos'));
    },
  },
];

/** Started again whenever it is refused, as a service manager does. */
const secondDaemon: Row = {
  name: 'second-daemon',
  inject: async (world, ms) => {
    const manager = world.secondDaemon();
    manager.start();
    await sleep(ms);
    const codes = manager.ends.map(({ code }) => code);
    await manager.stop(STOP_MS);
    if (codes.length === 0 || codes.some((code) => code !== EXIT.unavailable))
      throw new Error(`the second daemon was not refused each time; it ended with: ${codes.join(', ')}`);
  },
};

function clockRow(name: string, byMs: number): Row {
  return {
    name,
    inject: async (world, ms) => {
      world.stepClock(byMs);
      await sleep(ms);
    },
  };
}

const bothAway: Row = {
  name: 'both-away',
  needs: 'servers',
  seconds: 600,
  onlyNamed: true,
  inject: async (world, ms) => {
    const { redis, rabbitmq } = serversOf(world);
    await Promise.all([redis.stop(), rabbitmq.stop(), sleep(ms)]);
    await Promise.all([redis.start(), rabbitmq.start()]);
  },
};

export const ROWS: readonly Row[] = [
  ...['store', 'notifier'].flatMap((actor) => [killing(actor), freezing(actor)]),
  ...daemonRows,
  ...serverRows('redis'),
  redisOom,
  ...networkRows('redis'),
  ...serverRows('rabbitmq'),
  ...brokerRows,
  ...networkRows('rabbitmq'),
  serversFar,
  secondDaemon,
  outOfDescriptors,
  ...diskRows,
  ...operationRows,
  clockRow('clock-forward', HOUR_MS),
  clockRow('clock-back', -HOUR_MS),
  ...clusterRows,
  bothAway,
];
