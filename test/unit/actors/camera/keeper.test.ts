/** The keeper on a real spool: what happens to a camera's pictures, and which of them are a gap. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import sharp from 'sharp';
import { cameraSpec } from '../../../../lab/camera-spec';
import { keptLog, type Line } from '../../../../lab/kept-log';
import { Gaps } from '../../../../src/actors/camera/gaps';
import { Keeper, type JudgedPicture } from '../../../../src/actors/camera/keeper';
import type { CameraSpec } from '../../../../src/config/topology';
import type { Frame } from '../../../../src/contract/frame';
import type { Verdict } from '../../../../src/contract/verdict';
import type { ActorReport } from '../../../../src/protocol/messages';
import { memoryFolderOf } from '../../../../src/spool/memory-folder';
import { spoolName } from '../../../../src/spool/names';
import { Spool } from '../../../../src/spool/spool';

const HEALTHY: Verdict = { kind: 'healthy', confidence: 90 };
const CAPTURED_AT = 1_700_000_000_000;

interface Bench {
  readonly keeper: Keeper;
  readonly gaps: Gaps;
  readonly spool: Spool;
  readonly spoolDir: string;
  readonly lines: readonly Line[];
  readonly frames: () => readonly Frame[];
  /** First and last sequence, and reason. */
  readonly gapsReported: () => readonly (readonly [number, number, string])[];
  /** Files there when their frame was reported. */
  readonly inTime: readonly boolean[];
}

async function openKeeper(t: TestContext, changes: Partial<CameraSpec> = {}): Promise<Bench> {
  const root = await mkdtemp(path.join(tmpdir(), 'vigil-keeper-'));
  const spoolDir = path.join(root, 'spool');
  t.after(async () => {
    await rm(root, { recursive: true, force: true });
    const memory = memoryFolderOf(spoolDir);
    if (memory !== undefined) await rm(memory, { recursive: true, force: true });
  });
  const log = keptLog();
  const reports: ActorReport[] = [];
  const inTime: boolean[] = [];
  const context = {
    parameters: { camera: cameraSpec(changes), ffmpeg: 'ffmpeg', spoolDir, minFreeBytes: 0 },
    log,
    report: (report: ActorReport) => {
      reports.push(report);
      if (report.kind === 'frame')
        inTime.push(existsSync(path.join(spoolDir, 'gate', spoolName(report.frame))));
    },
  };
  const gaps = new Gaps(context);
  const keeper = new Keeper(context, gaps);
  await keeper.open();
  return {
    ...{ keeper, gaps, spoolDir, inTime, lines: log.lines },
    spool: new Spool(spoolDir),
    frames: () => reports.flatMap((report) => (report.kind === 'frame' ? [report.frame] : [])),
    gapsReported: () =>
      reports.flatMap((report) =>
        report.kind === 'gap'
          ? [[report.gap.firstSequence, report.gap.lastSequence, report.gap.reason] as const]
          : [],
      ),
  };
}

function picture(sequence: number, changes: Partial<JudgedPicture> = {}): JudgedPicture {
  return {
    sample: { sequence, capturedAt: CAPTURED_AT + sequence * 1000 },
    format: 'jpeg',
    width: 2,
    height: 1,
    source: { width: 4, height: 2 },
    bytes: Buffer.from(`picture ${sequence}`),
    evidence: {},
    verdict: HEALTHY,
    ...changes,
  };
}

const ppm = (pixels: readonly number[]) =>
  Buffer.concat([Buffer.from(`P6\n${pixels.length / 3} 1\n255\n`), Buffer.from(pixels)]);

describe('the keeper of a camera', () => {
  it('reports a frame once its file is in the spool, in the order of the pictures', async (t) => {
    const { keeper, spool, frames, inTime } = await openKeeper(t);
    for (const sequence of [1, 2, 3]) keeper.take(picture(sequence), cameraSpec());
    await keeper.settled();
    assert.deepEqual(
      frames().map(({ sequence }) => sequence),
      [1, 2, 3],
    );
    assert.deepEqual(inTime, [true, true, true]);
    for (const frame of frames()) assert.equal(String(await spool.read(frame)), `picture ${frame.sequence}`);
    assert.equal(keeper.handled, 3);
    assert.deepEqual(keeper.facts, { frames: 3 });
  });

  it('encodes an uncompressed picture in the format of the settings that produced it', async (t) => {
    const { keeper, spool, frames } = await openKeeper(t, { format: 'jpeg' });
    const pixels = [255, 0, 0, 0, 0, 255];
    keeper.take(picture(1, { format: 'ppm', bytes: ppm(pixels) }), cameraSpec({ format: 'png' }));
    keeper.take(picture(2, { format: 'ppm', bytes: ppm(pixels) }), cameraSpec({ format: 'webp' }));
    await keeper.settled();
    assert.deepEqual(
      frames().map(({ format }) => format),
      ['png', 'webp'],
    );
    const [png, webp] = await Promise.all(frames().map((frame) => spool.read(frame)));
    assert.deepEqual([...(await sharp(png).raw().toBuffer())], pixels);
    assert.equal((await sharp(webp).metadata()).format, 'webp');
    assert.equal(frames()[0]?.bytes, png?.length);
  });

  it('gives a frame the clock, the delay and the verdict of its picture, and counts what is not healthy', async (t) => {
    const { keeper, frames } = await openKeeper(t);
    const verdict: Verdict = { kind: 'black', confidence: 80 };
    const sample = {
      sequence: 1,
      capturedAt: CAPTURED_AT,
      clock: 'camera',
      clockSkewMs: -40,
      linkDelayMs: 900,
    } as const;
    keeper.take(picture(1, { sample, verdict }), cameraSpec());
    await keeper.settled();
    const [frame] = frames();
    assert.deepEqual(
      [frame?.clock, frame?.clockSkewMs, frame?.linkDelayMs, frame?.verdict],
      ['camera', -40, 900, verdict],
    );
    assert.deepEqual(keeper.facts, { frames: 1, black: 1 });
  });

  it('loses the pictures that arrive while eight are being written, and reports them as one gap', async (t) => {
    const { keeper, gaps, frames, gapsReported, lines } = await openKeeper(t);
    for (let sequence = 1; sequence <= 11; sequence++) keeper.take(picture(sequence), cameraSpec());
    await keeper.settled();
    gaps.end();
    assert.equal(frames().length, 8);
    assert.deepEqual(gapsReported(), [[9, 11, 'spool-slow']]);
    assert.deepEqual(keeper.facts, { frames: 8, lost: 3 });
    assert.equal(lines.length, 1, 'one line for three pictures');
    keeper.take(picture(12), cameraSpec());
    await keeper.settled();
    assert.equal(frames().length, 9, 'there is room again');
  });

  it('reports the pictures lost before a kept one as a gap after that frame, and continues', async (t) => {
    const { keeper, frames, gapsReported, lines } = await openKeeper(t);
    const torn = picture(1, { format: 'ppm', bytes: Buffer.from('no picture') });
    keeper.take(torn, cameraSpec({ format: 'png' }));
    keeper.take(picture(2), cameraSpec());
    await keeper.settled();
    assert.deepEqual(gapsReported(), [[1, 1, 'bad-capture-output']]);
    assert.deepEqual(
      frames().map(({ sequence }) => sequence),
      [2],
    );
    assert.equal(keeper.handled, 2, 'a picture that was given up is handled, too');
    assert.match(lines[0]?.[1] ?? '', /^a picture could not be kept: /);
  });

  it('keeps a picture in memory if the disk rejects it, and says so', async (t) => {
    const { keeper, spool, spoolDir, frames, gapsReported, lines } = await openKeeper(t);
    // A file in the place of the camera's folder: no user can write into it.
    await rm(path.join(spoolDir, 'gate'), { recursive: true, force: true });
    await writeFile(path.join(spoolDir, 'gate'), '');
    keeper.take(picture(1), cameraSpec());
    await keeper.settled();
    const [frame] = frames();
    assert.ok(frame);
    assert.equal(String(await spool.read(frame)), 'picture 1');
    assert.deepEqual(gapsReported(), []);
    assert.match(lines[0]?.[1] ?? '', /^cannot write to the spool \(.*\); buffering in memory/);
  });

  it('removes what a crash left half-written when it opens the folder again', async (t) => {
    const { keeper, spoolDir, frames } = await openKeeper(t);
    keeper.take(picture(1), cameraSpec());
    await keeper.settled();
    const left = path.join(spoolDir, 'gate', '.left.tmp');
    await writeFile(left, 'half');
    await keeper.open();
    const [frame] = frames();
    assert.ok(frame);
    assert.deepEqual(await readdir(path.join(spoolDir, 'gate')), [spoolName(frame)]);
  });
});
