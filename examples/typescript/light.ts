/**
 * Light: how bright a camera's picture is, and whether there is anything to see in it: a dark one, or one of a single colour, is
 * of a camera that is blind. Its queue: "consumers": { "light": {} } in actors.json. In this folder's clone:
 *
 *     npx tsx examples/typescript/light.ts data/endpoints.json
 */
import { readFileSync } from 'node:fs';
import { consumeFrames, decodeFrame, type DecodedFrame } from 'vigil';

const [file = 'data/endpoints.json', queue = 'vigil.light'] = process.argv.slice(2);

/** Levels of 256. */
const DARK = 16;
const PLAIN = 4;

function light({ data }: DecodedFrame): string {
  let [sum, squares] = [0, 0];
  for (const value of data) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / data.length;
  const deviation = Math.sqrt(Math.max(0, squares / data.length - mean * mean));
  const seen = mean < DARK ? 'dark' : deviation < PLAIN ? 'plain' : 'sees';
  return `${seen}, brightness ${mean.toFixed(0)}, contrast ${deviation.toFixed(0)}`;
}

// Read before each connection: embedded servers get new passwords with every start of the daemon.
const servers = () => JSON.parse(readFileSync(file, 'utf8')) as { redis: string; amqp: string };

async function main(): Promise<void> {
  const consumer = await consumeFrames(
    {
      ...{ redisUrl: () => servers().redis, amqpUrl: () => servers().amqp, queue, latestOnly: true },
      onFault: ({ message }) => console.error(`light: ${message}`),
    },
    async ({ event: { time, data }, bytes }) => {
      console.log(data.camera, time, light(await decodeFrame(bytes, data.format)));
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void consumer.close());
}

main().catch((error: unknown) => {
  console.error(`light: ${(error as Error).message}`);
  process.exitCode = 1;
});
