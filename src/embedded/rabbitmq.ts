/** A private RabbitMQ for installations without one: its own ports, node name, cookie, port mapper and user. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connectBroker } from '../connections/rabbitmq';
import { ownedBy } from '../connections/rabbitmq-listener';
import type { Log } from '../log/log';
import { ExitFault } from '../fault/fault';
import { OWNER_ONLY, replaceFileSync } from '../os/replace-file';
import { callBroker } from './broker-call';
import { findEpmd, findRabbitmq } from './rabbitmq-programs';
import { placeQuorumQueues } from './quorum-files';
import { brokerConfiguration, brokerDefinitions, folderVariables, USER } from './rabbitmq-files';
import { PortMapper } from './port-mapper';
import { choosePort, predecessorLeft, ServerProcess, type ServerCommand } from './server-process';
import { newPassword, readServiceMemory, writeServiceMemory } from './server-file';
import type { EmbeddedService } from './service';

/** The node's name is part of its data's path: it never changes. */
const NODE = 'vigil@localhost';

/**
 * Run by the broker itself, without spaces. A quorum queue that was declared in the last seconds before a broker is
 * killed comes back empty and without a leader (RabbitMQ 3.10): it would never confirm anything again, so it is made to
 * elect itself.
 */
const ELECT_LEADERS =
  'spawn(fun()->F=fun(G)->timer:sleep(2000),' +
  'catch([ra:trigger_election({N,node()})||{N,_}<-ra_directory:list_registered(quorum_queues),' +
  'ra_leaderboard:lookup_leader(N)=:=undefined]),G(G)end,F(F)end).';

export async function prepareRabbitmq(
  dir: string,
  wantedPort: number | undefined,
  log: Log,
  password = newPassword(),
): Promise<EmbeddedService> {
  const lockFile = path.join(dir, 'server.lock');
  await predecessorLeft(lockFile);
  const memory = readServiceMemory(dir);
  const port = await choosePort('rabbitmq', wantedPort, memory?.port);
  const distPort = await choosePort('rabbitmq', undefined, memory?.distPort);
  const epmdPort = await choosePort('rabbitmq', undefined, memory?.epmdPort);
  const url = `amqp://${USER}:${password}@127.0.0.1:${port}/`;
  const ownUrl = ownedBy(url, process.geteuid?.() ?? 0);
  writeServiceMemory(dir, { port, distPort, epmdPort });
  const env = brokerEnvironment(dir, distPort, epmdPort);
  writeFiles(dir, port, password, env);
  let broker: ServerProcess | undefined;
  let mapper: PortMapper | undefined;
  return {
    name: 'rabbitmq',
    url,
    ownUrl,
    start: async (startMs) => {
      const [program, epmd] = [findRabbitmq(), findEpmd()];
      if (program === undefined || epmd === undefined)
        throw new ExitFault('missing-program', 'rabbitmq-server is not installed');
      // Without a port mapper of our own, the broker starts one that outlives it.
      mapper ??= portMapper(epmd, epmdPort, { env, cwd: dir }, log);
      mapper.run();
      placeQuorumQueues(path.join(dir, 'mnesia', NODE), NODE);
      broker = new ServerProcess(
        {
          name: 'rabbitmq-server',
          program,
          args: [],
          env,
          cwd: dir,
          lockFile,
          // Erlang's helper program that starts other programs.
          helperKilled: /erl_child_setup( closed|: \d+)$/,
          onParentDeath: 'TERM',
        },
        log,
      );
      await broker.ready(() => open(ownUrl), startMs);
      return broker;
    },
    view: () => callBroker(NODE, env),
    stop: async (deadlineMs) => {
      await broker?.stop(deadlineMs);
      await mapper?.stop(1000);
    },
  };
}

function portMapper(
  program: string,
  port: number,
  place: Pick<ServerCommand, 'env' | 'cwd'>,
  log: Log,
): PortMapper {
  const args = ['-port', String(port), '-address', '127.0.0.1'];
  const command: ServerCommand = { name: 'epmd', program, args, ...place, onParentDeath: 'KILL' };
  return new PortMapper(() => new ServerProcess(command, log), log);
}

function brokerEnvironment(dir: string, distPort: number, epmdPort: number): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    ...folderVariables(dir),
    // The start script then runs the server in its own process: the pid we know is the broker.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_NODENAME: NODE,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_DIST_PORT: String(distPort),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-kernel inet_dist_use_interface {127,0,0,1} -eval ${ELECT_LEADERS}`,
    // Two schedulers carry thousands of messages a second; one a core would take memory on a large machine.
    ERL_FLAGS: '-start_epmd false +Bi +S 2:2',
    // A dump contains all the broker's memory, including passwords, and needs as much disk.
    ERL_CRASH_DUMP_SECONDS: '0',
  };
}

function writeFiles(dir: string, port: number, password: string, env: NodeJS.ProcessEnv): void {
  for (const folder of ['home', 'mnesia', 'log', 'generated'])
    mkdirSync(path.join(dir, folder), { recursive: true, mode: 0o700 });
  const cookie = path.join(env['HOME'] ?? dir, '.erlang.cookie');
  try {
    writeFileSync(cookie, randomBytes(24).toString('hex'), { mode: 0o400, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // For example restored from an archive without permissions; Erlang rejects a cookie that others may read.
    chmodSync(cookie, 0o400);
  }
  writeFileSync(path.join(dir, 'enabled_plugins'), '[].\n');
  replaceFileSync(path.join(dir, 'rabbitmq.conf'), brokerConfiguration(port), OWNER_ONLY);
  replaceFileSync(path.join(dir, 'definitions.json'), brokerDefinitions(password), OWNER_ONLY);
}

async function open(url: string): Promise<void> {
  const socket = new AbortController();
  const connection = await connectBroker(url, 'vigil start', socket.signal);
  connection.on('error', () => undefined);
  await connection.close();
}
