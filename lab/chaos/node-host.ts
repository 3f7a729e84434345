/**
 * A machine of its own for one daemon: a network namespace, joined by a cable to the servers, which listen on this machine's
 * loopback. In the namespace 127.0.0.1 leads through that cable, so that servers and clusters keep the addresses they name.
 * Needs root and iproute2.
 */
import { ExitFault } from '../../src/fault/fault';
import { run } from '../process';

/** A range for tests of networks (RFC 2544): no machine has an address of it. */
const RANGE = '198.18';
/** No interface has this hardware address: what is sent there is lost silently. */
const NOBODY = '02:00:00:00:00:99';
const VOID = '127.0.0.99';
const VOID_TABLE = '99';
/** Before the rules that a namespace begins with. */
const [CUT, LOCAL] = ['1', '2'];

let count = 0;

export interface Loss {
  /** What the daemon sends, or what it is sent, is lost. */
  readonly way: 'sent' | 'received';
  /** The port of a server; without it, all ports. */
  readonly port?: number;
}

export class NodeHost {
  /** Name of the namespace and of this machine's end of the cable: at most 15 characters. */
  readonly #name: string;
  readonly #address: string;
  #rules: string[] = [];

  private constructor(node: string) {
    this.#name = `vigil-${process.pid}-${node}`;
    const number = process.pid * 8 + count++;
    this.#address = `${RANGE}.${(number >> 8) & 0xff}.${number & 0xff}`;
  }

  /** @throws ExitFault where this user may not make one, or iproute2 is missing */
  static async open(node: string): Promise<NodeHost> {
    const host = new NodeHost(node);
    await host.#make();
    try {
      await host.#connect();
    } catch (error) {
      await host.remove();
      throw error;
    }
    return host;
  }

  /** @throws ExitFault as {@link NodeHost.open} does */
  static async throwIfNone(): Promise<void> {
    await (await NodeHost.open('x')).remove();
  }

  /** Command that runs a program there, in the process that it was started in. */
  get under(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.#name}`];
  }

  /** Takes the cable out: nothing passes, and both ends know. */
  async unplug(): Promise<void> {
    await ip(`link set ${this.#name} down`);
  }

  /** Loses packets from now on, on connections there are and on new ones. */
  async lose(...losses: readonly Loss[]): Promise<void> {
    for (const { way, port } of losses) {
      const [end, where, fate] =
        way === 'sent'
          ? ['dport', 'to 127.0.0.1', `lookup ${VOID_TABLE}`]
          : ['sport', 'iif eth0', 'blackhole'];
      const rule = `${where} ${port === undefined ? '' : `ipproto tcp ${end} ${port} `}${fate} pref ${CUT}`;
      await this.#inside(`rule add ${rule}`);
      this.#rules.push(rule);
    }
  }

  /** Lets everything pass again. */
  async mend(): Promise<void> {
    for (const rule of this.#rules) await this.#inside(`rule del ${rule}`);
    this.#rules = [];
    await ip(`link set ${this.#name} up`);
    // The route was removed with the link.
    await ip(`route replace ${this.#address} dev ${this.#name}`);
  }

  /** The cable is removed with it. */
  async remove(): Promise<void> {
    await ip(`netns del ${this.#name}`);
  }

  async #make(): Promise<void> {
    try {
      await ip(`netns add ${this.#name}`);
    } catch (error) {
      if (error instanceof ExitFault || process.getuid?.() === 0) throw error;
      throw new ExitFault(
        'not-permitted',
        'each node of a fleet runs in a network namespace of its own, which only root may make; run this as root',
      );
    }
  }

  async #connect(): Promise<void> {
    const name = this.#name;
    await ip(`link add ${name} type veth peer name eth0 netns ${name}`);
    // The kernel drops packets from and to 127.0.0.1 on a cable, unless configured otherwise.
    await command('sysctl', ['-qw', `net.ipv4.conf.${name}.route_localnet=1`]);
    await command('nsenter', [
      ...this.under.slice(1),
      'sysctl',
      '-qw',
      'net.ipv4.conf.eth0.route_localnet=1',
    ]);
    // Fails where another run has the address.
    await ip(`link set ${name} up`);
    await ip(`route add ${this.#address} dev ${name}`);
    for (const args of [
      'link set lo up',
      'addr del 127.0.0.1/8 dev lo',
      `addr add ${this.#address}/32 dev eth0`,
      'link set eth0 up',
      'route add 127.0.0.1 dev eth0',
      `neigh add ${VOID} lladdr ${NOBODY} dev eth0 nud permanent`,
      `route add default via ${VOID} dev eth0 onlink table ${VOID_TABLE}`,
      // Rules of a cut come before the addresses that are the host's own.
      `rule add lookup local pref ${LOCAL}`,
      'rule del pref 0',
    ])
      await this.#inside(args);
  }

  async #inside(args: string): Promise<void> {
    await ip(`-n ${this.#name} ${args}`);
  }
}

async function ip(args: string): Promise<void> {
  await command('ip', args.split(' '));
}

async function command(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(program, args);
  if (code === 127)
    throw new ExitFault('missing-program', `${program} is missing; install iproute2 and procps`);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`);
}
