import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { missingSentence, type MissingProgram } from '../../../src/supervisor/programs';

const PROGRAMS: Readonly<Record<MissingProgram['program'], true>> = {
  ffmpeg: true,
  'redis-server': true,
  'rabbitmq-server': true,
  etcd: true,
  setpriv: true,
  flock: true,
};

/** What `npm start` installs: plain JavaScript, as it runs before anything is compiled. */
async function setupPackages(): Promise<{
  readonly packagesFor: (programs: readonly string[], systemName: string) => string[];
}> {
  const file = path.resolve(__dirname, '../../../scripts/setup/packages.mjs');
  return (await import(pathToFileURL(file).href)) as Awaited<ReturnType<typeof setupPackages>>;
}

describe('missing programs', () => {
  for (const program of Object.keys(PROGRAMS) as MissingProgram['program'][])
    it(`${program} is in the Debian package that npm start installs for it`, async () => {
      const { packagesFor } = await setupPackages();
      const sentence = missingSentence([{ program, why: 'a reason' }]);
      const [, named] = /apt-get install (.*?);/.exec(sentence) ?? [];
      assert.equal(named, packagesFor([program], 'apt').join(' '));
    });
});
