/** Canaries in generated URLs and in what programs print about them: none is found in anything that is shown. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { endFault, openFault, redirectionFault } from '../../../src/actors/camera/feed/fault';
import { feedName } from '../../../src/config/feed-name';
import { FeedStderr } from '../../../src/actors/camera/feed/stderr';
import { ReceiverStderr } from '../../../src/actors/camera/rtsp/receiver-stderr';
import { brokerFault } from '../../../src/connections/rabbitmq-fault';
import { planText } from '../../../src/commands/plan';
import { parseTopology } from '../../../src/config/load';
import { firstOf, lastOf, redactText, redactUrl, secretsOf } from '../../../src/url/redact';
import { STREAM_SCHEMES } from '../../../src/config/schema';
import type { CameraSource } from '../../../src/config/topology';
import { urlProblem, withCredentials } from '../../../src/url/url';
import { redisFault } from '../../../src/connections/redis-fault';
import { wantedActors } from '../../../src/supervisor/actor-specs';
import { BlackBox } from '../../../src/supervisor/black-box';
import { planChange } from '../../../src/supervisor/plan';
import { rounds, seededRandom } from '../../../lab/random';
import { CANARY, MARKS, password, secretUrl, sentence, SHOWN } from '../../../lab/canary';

const ROUNDS = rounds(400);

const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-canary-'));
after(() => rmSync(DIR, { recursive: true }));

function sourceOf(url: string): CameraSource {
  return { kind: 'stream', url, transport: 'tcp' };
}

describe('a canary', () => {
  it('in a generated URL is in none of its own forms for people', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < ROUNDS; i++) {
      const url = secretUrl(random);
      assert.doesNotMatch(redactUrl(url), SHOWN, url);
      assert.doesNotMatch(feedName(sourceOf(url)), SHOWN, url);
      const text = random.text(' "\'([<=', 0, 3) + url + random.text(' "\')]>.,;:!\n', 0, 3);
      assert.doesNotMatch(redactText(text), SHOWN, text);
    }
  });

  it('in a password that is written into the URL as it is, is neither in the refusal nor beside the feed’s name', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < ROUNDS; i++) {
      const secret = [
        random.text(MARKS.replace(' ', ''), 1, 3),
        random.text(MARKS.replace(' ', ''), 1, 3),
      ].join(CANARY);
      // The name of a variable is shown.
      if (secret.includes(`\${${CANARY}`)) continue;
      for (const scheme of ['rtsp', 'https', 'amqp', 'redis', 'redis-sentinel', 'rtmp']) {
        const url = `${scheme}://vigil:${secret}@broker/x`;
        const key = { amqp: 'rabbitmq', redis: 'redis', 'redis-sentinel': 'redis' }[scheme];
        const camera = { id: 'a', url };
        const file = {
          cameras: key === undefined ? [camera] : [],
          ...(key === undefined ? {} : { [key]: url }),
        };
        const said = refusalOf(file);
        assert.doesNotMatch(said, SHOWN, url);
        assert.doesNotMatch(redactText(`cannot open ${url}: no`), SHOWN, url);
        assert.doesNotMatch(redactUrl(url), SHOWN, url);
        // An accepted URL keeps the whole password as its password.
        if (said === '') assert.equal(new URL(withCredentials(url)).hostname, 'broker', url);
      }
    }
  });

  for (const url of [
    `amqp://vigil:a@${CANARY}/x@broker/`,
    `amqp://vigil:a@${CANARY}?x@broker/`,
    `amqp://vigil:a@${CANARY}#x@broker/`,
    `rtsp://vigil:a@b@${CANARY}/@cam/live`,
    `redis://:a@${CANARY}/x@h/0`,
    `redis-sentinel://u:a@h1,u:${CANARY}@h2/m`,
  ])
    it(`in ${url} is refused as ambiguous, and hidden`, () => {
      const problem = urlProblem(url, ['amqp', 'redis', 'redis-sentinel', ...STREAM_SCHEMES]);
      assert.match(problem ?? '', /"@".*"username" and "password" beside it/);
      assert.doesNotMatch(problem ?? '', SHOWN);
      assert.doesNotMatch(redactUrl(url) + redactText(`see ${url}.`), SHOWN);
    });

  it('is in no fault of a feed, whatever ffmpeg prints', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < ROUNDS; i++) {
      const url = secretUrl(random);
      const said = Array.from({ length: random.between(1, 3) }, () => sentence(random, url)).join('\n');
      const source = sourceOf(url);
      for (const { message } of [
        openFault(source, said),
        openFault(source, `${said}\n`),
        endFault(source, said),
        redirectionFault(source, url),
      ])
        assert.doesNotMatch(message, SHOWN, said);
    }
  });

  it('is in no stored line of ffmpeg, wherever its output is split', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < ROUNDS; i++) {
      const url = secretUrl(random);
      const heard: string[] = [];
      const kept = new FeedStderr(
        (lines) => heard.push(...lines),
        () => secretsOf(url),
      );
      const stderr = new ReceiverStderr({
        onError: (text) => kept.push(text),
        onLoss: () => undefined,
        onRedirect: () => undefined,
      });
      const padding = 'x'.repeat(random.between(0, 30)) + ' y'.repeat(random.between(0, 5000));
      stderr.push(`${padding} ${sentence(random, url)} ${padding}\n${sentence(random, url)}\n`);
      assert.doesNotMatch(heard.join('\n'), SHOWN);
      assert.doesNotMatch(openFault(sourceOf(url), stderr.errors).message, SHOWN);
    }
  });

  it('is in no part of a text that was cut through it', (t) => {
    const random = seededRandom(t);
    const url = `rtsp://viewer:${CANARY}@cam/live`;
    for (let i = 0; i < ROUNDS; i++) {
      const text = `${'z '.repeat(random.between(0, 9))}${url}${' z'.repeat(random.between(0, 9))}`;
      const chars = random.between(0, text.length + 2);
      for (const cut of [firstOf(text, chars), lastOf(text, chars)]) {
        assert.ok(cut.length <= chars);
        // All of the URL or nothing of it.
        assert.ok(cut.includes(url) || !/rtsp|viewer|C4n|Q7|cam/.test(cut), cut);
      }
    }
    assert.doesNotMatch(
      redactText(`${'y '.repeat(4980)}rtsp://viewer:${CANARY}${'x'.repeat(99)}@cam/`),
      SHOWN,
    );
  });

  it('is in nothing that ioredis and amqplib are quoted with', (t) => {
    const random = seededRandom(t);
    for (let i = 0; i < ROUNDS; i++) {
      const secret = password(random);
      const [redis, amqp] = ['redis://h:6379/0', 'amqp://h:5672'].map((bare) =>
        withCredentials(bare, 'vigil', secret),
      ) as [string, string];
      const text = random.pick([
        `ERR unknown command 'AUTH', with args beginning with: 'vigil' '${secret}' `,
        `ERR wrong number of arguments for 'auth', got ${secret}`,
        `WRONGPASS ${secret}`,
        `FOO ${secret}`,
        `Handshake terminated by server: 403 (ACCESS-REFUSED) with message "${secret}"`,
        `Operation failed: QueueDeclare; 405 (RESOURCE-LOCKED) with message "RESOURCE_LOCKED - of ${redis}"`,
        `getaddrinfo EFAIL ${secret}`,
        `Invalid URL: ${amqp}`,
        `connect failed ${redis}`,
        sentence(random, redis),
        sentence(random, amqp),
      ]);
      const error = Object.assign(new Error(text), { command: { name: 'auth', args: ['vigil', secret] } });
      assert.doesNotMatch(redisFault(redis, error).message, SHOWN, text);
      assert.doesNotMatch(brokerFault(amqp, error).message, SHOWN, text);
    }
  });

  it('is in no black box', async (t) => {
    const random = seededRandom(t);
    const box = new BlackBox(DIR);
    for (let i = 0; i < 30; i++) {
      const url = secretUrl(random);
      // Only the process that has the URL knows what is secret in a server's own text.
      const lines = Array.from(
        { length: 3 },
        () => `${url}: ${random.pick(['oops', 'gone', `?pwd=${CANARY}`])}`,
      );
      box.heartbeat('camera:a', { done: 1, facts: { said: url }, memoryBytes: 1 });
      box.feedSaid('camera:a', lines);
      const file = await box.record({
        ...{ name: 'camera:a', pid: i, startedAtMs: i, endedAtMs: i, exitCode: 1, signal: null },
        ...{ fault: { code: 'crashed', message: `died of ${url}` }, lastLines: lines },
      });
      assert.doesNotMatch(readFileSync(file, 'utf8'), SHOWN, url);
    }
  });

  it('is in no plan of an edit', (t) => {
    const random = seededRandom(t);
    const side = (url: string) => {
      const file = {
        ...{ redis: `redis://:${CANARY}@r/`, rabbitmq: `amqp://u:${CANARY}@b/` },
        cameras: [{ id: 'a', url }],
      };
      const topology = parseTopology(JSON.stringify(file), '/srv/actors.json', {});
      const surroundings = {
        ...{
          redisUrl: file.redis,
          amqpUrl: file.rabbitmq,
          dataDir: '/',
          newestDir: '/newest',
          spoolDir: '/srv/spool',
        },
        queuesFile: '/srv/queues.json',
        arriving: new Map(),
        holder: { id: 'here', name: 'daemon of this test' },
        ffmpegFor: () => '/usr/bin/ffmpeg',
      };
      return { topology, actors: wantedActors(topology, surroundings) };
    };
    for (let i = 0; i < 30; i++) {
      const plan = planChange(side(secretUrl(random)), side(secretUrl(random)));
      assert.doesNotMatch(planText(plan) + JSON.stringify(plan), SHOWN);
    }
  });
});

/** The sentences of a refused configuration, or nothing. */
function refusalOf(file: unknown): string {
  try {
    parseTopology(JSON.stringify(file), '/srv/actors.json', {});
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
