import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import type { CameraSource } from '../../../src/config/topology';
import { findFfmpeg, whyNoFfmpeg } from '../../../src/supervisor/ffmpeg-program';

const dir = mkdtempSync(path.join(os.tmpdir(), 'vigil-ffmpeg-'));
const { PATH } = process.env;

const byName = stream('rtsp://gate.local/stream');
const byAddress = stream('rtsp://user:pass@192.0.2.7:8554/stream');

function stream(url: string): CameraSource {
  return { kind: 'stream', url, transport: 'tcp' };
}

/** A program that does this when asked to open something. */
function program(name: string, does: string): string {
  const file = path.join(dir, name);
  writeFileSync(file, `#!/bin/sh\n${does}\n`, { mode: 0o755 });
  return file;
}

const onPath = program('ffmpeg', 'exit 1');
const crashing = program('crashing', 'kill -SEGV $$');
const deaf = program(
  'deaf',
  "echo '[tcp @ 0x1] Failed to resolve hostname localhost: Try again' >&2; exit 1",
);
const sound = program('sound', "echo 'tcp://localhost:1: Connection refused' >&2; exit 1");

describe('the ffmpeg of a feed', () => {
  afterEach(() => {
    process.env['PATH'] = PATH;
  });
  after(() => rmSync(dir, { recursive: true }));

  const cases: readonly [string, string | null, CameraSource | undefined, string][] = [
    ['looks names up', sound, byName, sound],
    ['looks names up', sound, byAddress, sound],
    ['crashes over names', crashing, byName, onPath],
    ['crashes over names', crashing, byAddress, crashing],
    ['crashes over names', crashing, stream('rtsp://[2001:db8::7]/stream'), crashing],
    ['crashes over names', crashing, { kind: 'file', path: '/clip.mp4' }, crashing],
    ['crashes over names', crashing, undefined, crashing],
    ['finds no names', deaf, byName, onPath],
    ['is not there', null, byAddress, onPath],
  ];
  for (const [what, bundled, source, chosen] of cases) {
    const feed = source?.kind === 'stream' ? new URL(source.url).hostname : (source?.kind ?? 'nothing');
    it(`is ${path.basename(chosen)} if ffmpeg-static's ${what}, for ${feed}`, () => {
      process.env['PATH'] = `${dir}:${PATH ?? ''}`;
      assert.equal(findFfmpeg(undefined, source, bundled), chosen);
    });
  }

  it("is the operator's if there is one, whatever it supports", () =>
    assert.equal(findFfmpeg(crashing, byName, sound), crashing));

  it('is absent if the configuration names a missing file, which is reported', () => {
    assert.equal(findFfmpeg('/nowhere/ffmpeg', byName, null), undefined);
    assert.match(whyNoFfmpeg('/nowhere/ffmpeg', null), /names \/nowhere\/ffmpeg/);
  });

  it('is absent if the only one crashes over names, which is reported', () => {
    process.env['PATH'] = '/nowhere';
    assert.equal(findFfmpeg(undefined, byName, crashing), undefined);
    assert.match(whyNoFfmpeg(undefined, crashing), /cannot look up host names/);
    assert.equal(findFfmpeg(undefined, byName, null), undefined);
    assert.match(whyNoFfmpeg(undefined, null), /feeds are read/);
  });
});
