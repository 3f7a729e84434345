/** Editors and the daemon judge actors.json alike: a corpus of files generated from the schema, valid and not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rounds, seededRandom } from '../../../lab/random';
import { agreed } from '../../../lab/corpus/agreement';
import { FILE, type Schema } from '../../../lab/corpus/schema';
import { url } from '../../../lab/corpus/urls';
import { Files } from '../../../lab/corpus/files';

const FILES = rounds(500);
const URLS = rounds(1000);

type Entry = Record<string, unknown>;
const camera = (entry: Entry): Entry => ({ cameras: [{ id: 'a', ...entry }] });
const rest = (entry: Entry): Entry => ({ cameras: [], ...entry });

/** With this URL in that place. */
function fileWith(key: string, text: string): Entry {
  if (key === 'url' || key === 'still') return camera({ [key]: text });
  if (key === 'server') return rest({ redis: { url: text } });
  if (key === 'managementUrl') return rest({ rabbitmq: { url: 'amqp://b/', managementUrl: text } });
  return rest({ [key]: text });
}

const OF_CAMERA = FILE.properties?.['cameras']?.items?.properties;
const PLACES: Readonly<Record<string, Schema | undefined>> = {
  url: OF_CAMERA?.['url'],
  still: OF_CAMERA?.['still'],
  redis: FILE.properties?.['redis'],
  server: FILE.properties?.['redis'],
  rabbitmq: FILE.properties?.['rabbitmq'],
  managementUrl: FILE.properties?.['rabbitmq']?.properties?.['managementUrl'],
};

describe('a generated configuration', () => {
  it('is judged alike by editors and by the daemon', (t) => {
    const random = seededRandom(t);
    let valid = 0;
    for (let i = 0; i < FILES; i++) {
      const files = new Files(random);
      const file = files.file();
      // The one reference that `text` makes names no variable here: what is not set is for the daemon alone.
      if (agreed(file, { ...files.environment, A: 'a' })) valid++;
    }
    t.diagnostic(`${valid} of ${FILES} are valid`);
    assert.ok(valid > FILES / 10 && valid < FILES * 0.9, `${valid} of ${FILES} are valid`);
  });

  it('is judged alike whatever the URL of its one source or server', (t) => {
    const random = seededRandom(t);
    let valid = 0;
    for (let i = 0; i < URLS; i++) {
      const key = random.pick(['url', 'still', 'redis', 'rabbitmq', 'server', 'managementUrl']);
      const { schemes = [] } = PLACES[key] ?? assert.fail();
      const text = url(random, schemes);
      if (agreed(fileWith(key, text))) valid++;
    }
    assert.ok(valid > URLS / 5 && valid < URLS * 0.8, `${valid} of ${URLS} are valid`);
  });

  it('is judged alike with any one value replaced', (t) => {
    const random = seededRandom(t);
    const wrong = [
      null,
      true,
      0,
      7,
      -1,
      1e12,
      0.5,
      '',
      'x',
      'rtsp://h/',
      '${V}',
      '$${V}',
      '${V-}',
      [],
      {},
      { url: 'x' },
    ];
    for (const [key, schema] of Object.entries(FILE.properties ?? {}))
      for (const value of wrong) agreed({ cameras: [], [key]: value }, fitting(schema));
    assert.ok(random.next() < 1);
  });
});

/** `${V}` as a value that fits. */
function fitting({ enum: values, type, pattern }: Schema): NodeJS.ProcessEnv {
  return { V: values?.[0] ?? (Array.isArray(type) ? 'embedded' : pattern === undefined ? 'rtsp' : 'a') };
}
