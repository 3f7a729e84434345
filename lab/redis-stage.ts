/** A private Redis for all tests of a suite, with a client of it. */
import { after, before } from 'node:test';
import { Redis } from 'ioredis';
import { startRedis, type RedisServers } from './redis';

export class RedisStage {
  url!: string;
  client!: Redis;
  #started: RedisServers | undefined;

  /** Call it in a suite: it adds the hooks that start the server and stop it. */
  static inSuite(): RedisStage {
    const stage = new RedisStage();
    before(async () => {
      stage.#started = await startRedis([]);
      stage.url = stage.#started.servers[0]?.url ?? '';
      stage.client = new Redis(stage.url);
    });
    after(async () => {
      stage.client.disconnect();
      await stage.#started?.stop();
    });
    return stage;
  }

  /** Sorted. */
  async keys(): Promise<string[]> {
    return (await this.client.keys('*')).sort();
  }
}
