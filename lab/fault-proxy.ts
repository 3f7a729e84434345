/** A TCP proxy on loopback whose network misbehaves on demand, for connections there are and those to come. */
import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export type Network =
  | { readonly kind: 'sound' }
  /** Delay of every byte, in each direction. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** Connections stay open, and nothing passes; what was sent meanwhile arrives when the network is sound again. */
  | { readonly kind: 'black-hole' }
  /**
   * The same in one direction: what the client sends does not arrive, or what the server sends. Nothing passes on new
   * connections, which are never answered.
   */
  | { readonly kind: 'mute' }
  | { readonly kind: 'deaf' }
  /** Connections are reset, and new ones at once. */
  | { readonly kind: 'reset' }
  /** The server side of existing connections has disappeared silently; new ones pass. They are reset in the end. */
  | { readonly kind: 'half-open' }
  /** What the server sends passes no faster than that. */
  | { readonly kind: 'slow-link'; readonly bytesPerSecond: number }
  /** The server reads no faster than that. */
  | { readonly kind: 'slow-reader'; readonly bytesPerSecond: number };

const SOUND: Network = { kind: 'sound' };
/** A slow reader is given its share so often. */
const SHARE_MS = 50;

export class FaultProxy {
  readonly #links = new Set<Link>();
  /** Connections to the server: one may outlive its client, with unread bytes. */
  readonly #ways = new Set<Socket>();
  #network: Network = SOUND;
  #bytesDown = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (client) => this.#accept(client));
  }

  /** @param target port on loopback */
  static async start(target: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Bytes that servers have sent through it. */
  get bytesDown(): number {
    return this.#bytesDown;
  }

  /** Connections that are open on the client's side. */
  get connections(): number {
    return this.#links.size;
  }

  set network(network: Network) {
    this.#network = network;
    for (const link of this.#links) link.network = network;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const link of this.#links) link.end();
    for (const way of this.#ways) way.destroy();
    await once(this.server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#network.kind === 'reset') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const network = this.#network.kind === 'half-open' ? SOUND : this.#network;
    const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    let counted = 0;
    const link = new Link(client, server, () => {
      this.#bytesDown += server.bytesRead - counted;
      counted = server.bytesRead;
    });
    this.#ways.add(server);
    server.once('close', () => this.#ways.delete(server));
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
    link.network = network.kind === 'deaf' ? { kind: 'black-hole' } : network;
  }
}

/** One connection through the proxy. */
class Link {
  readonly #up: Pipe;
  readonly #down: Pipe;
  #isHalfOpen = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    onRead: () => void,
  ) {
    server.on('readable', onRead);
    this.#up = new Pipe(client, server);
    this.#down = new Pipe(server, client);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.setNoDelay(true);
      socket.on('error', () => {
        if (!this.#isHalfOpen) other.resetAndDestroy();
      });
      socket.on('close', () => {
        if (!this.#isHalfOpen) other.destroySoon();
      });
    }
  }

  set network(network: Network) {
    // A peer that comes back knows nothing of the connection.
    if (this.#isHalfOpen) {
      if (network.kind !== 'half-open') this.client.resetAndDestroy();
      return;
    }
    this.#up.setPace(paceUp(network));
    this.#down.setPace(paceDown(network));
    if (network.kind === 'reset') this.end();
    if (network.kind !== 'half-open') return;
    this.#isHalfOpen = true;
    this.#up.discard();
    this.server.destroy();
  }

  end(): void {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
  }
}

interface Pace {
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

const FULL: Pace = { delayMs: 0, bytesPerSecond: Infinity };
const CUT: Pace = { delayMs: 0, bytesPerSecond: 0 };

function paceDown(network: Network): Pace {
  if (network.kind === 'black-hole' || network.kind === 'deaf') return CUT;
  if (network.kind === 'slow-link') return { ...FULL, bytesPerSecond: network.bytesPerSecond };
  return network.kind === 'latency' ? { ...FULL, delayMs: network.ms } : FULL;
}

function paceUp(network: Network): Pace {
  if (network.kind === 'slow-link' || network.kind === 'deaf') return FULL;
  if (network.kind === 'mute') return CUT;
  return network.kind === 'slow-reader'
    ? { ...FULL, bytesPerSecond: network.bytesPerSecond }
    : paceDown(network);
}

/** One direction: reads only as fast as it may write, so that a peer that is not read from notices by its own buffers. */
class Pipe {
  #pace = FULL;
  #timer: NodeJS.Timeout | undefined;
  readonly #delayed: { readonly dueMs: number; readonly act: () => void }[] = [];

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {
    from.pause();
    from.on('readable', () => this.#move());
    from.on('end', () => this.#later(() => to.end()));
    to.on('drain', () => this.#move());
    to.on('close', () => clearTimeout(this.#timer));
  }

  setPace(pace: Pace): void {
    this.#pace = pace;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#move();
  }

  /** Reads on, to nowhere. */
  discard(): void {
    this.from.removeAllListeners('readable');
    this.from.removeAllListeners('end');
    this.from.resume();
  }

  #move(): void {
    const { bytesPerSecond } = this.#pace;
    if (bytesPerSecond === Infinity) {
      while (!this.to.writableNeedDrain && this.#moveChunk(undefined));
      return;
    }
    if (bytesPerSecond === 0 || this.#timer !== undefined) return;
    const share = Math.max(1, Math.floor((bytesPerSecond * SHARE_MS) / 1000));
    this.#moveChunk(Math.min(share, this.from.readableLength));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.from.readableLength > 0) this.#move();
    }, SHARE_MS);
  }

  /** False when there was nothing to move. */
  #moveChunk(bytes: number | undefined): boolean {
    if (bytes === 0) return false;
    const chunk = (bytes === undefined ? this.from.read() : this.from.read(bytes)) as Buffer | null;
    if (chunk === null) return false;
    this.#later(() => this.to.write(chunk));
    return true;
  }

  /** In order, also where the delay has just become shorter. */
  #later(act: () => void): void {
    if (this.#pace.delayMs === 0 && this.#delayed.length === 0) {
      act();
      return;
    }
    this.#delayed.push({ dueMs: performance.now() + this.#pace.delayMs, act });
    if (this.#delayed.length === 1) this.#runDelayed();
  }

  #runDelayed(): void {
    const [next] = this.#delayed;
    if (next === undefined || this.to.destroyed) return;
    const waitMs = next.dueMs - performance.now();
    if (waitMs > 0) {
      setTimeout(() => this.#runDelayed(), waitMs);
      return;
    }
    this.#delayed.shift();
    next.act();
    this.#runDelayed();
  }
}
