/** The output of a receiver: errors as before, plus losses and redirections; and what follows from losses. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LossWatch } from '../../../../../src/actors/camera/rtsp/loss-watch';
import { ReceiverStderr } from '../../../../../src/actors/camera/rtsp/receiver-stderr';

function hear() {
  const errors: string[] = [];
  const lost: number[] = [];
  const urls: string[] = [];
  const stderr = new ReceiverStderr({
    onError: (text) => errors.push(text),
    onLoss: (packets) => lost.push(packets),
    onRedirect: (url) => urls.push(url),
  });
  return { errors, lost, urls, stderr };
}

describe('the output of a receiver', () => {
  it('is passed on if it is an error, as ffmpeg writes it without levels', () => {
    const { errors, stderr } = hear();
    stderr.push(
      '[info] Input #0, concat, from pipe:0\n[rtsp @ 0x1] [warning] Could not\nConsider increasing\n',
    );
    stderr.push('[rtsp @ 0x1] [error] method DESCRIBE failed: 404 Not Found\nmore of ');
    stderr.push('it\n[error] pipe:0: Server returned 404');
    assert.deepEqual(errors, ['[rtsp @ 0x1] method DESCRIBE failed: 404 Not Found\n', 'more of it\n']);
    assert.match(stderr.errors, /^\[rtsp @ 0x1\] method.*\nmore of it\npipe:0: Server returned 404$/);
  });

  it('of another program has no level and is an error', () => {
    const { stderr } = hear();
    stderr.push('setpriv: failed to execute ffmpeg: No such file or directory\n');
    assert.match(stderr.errors, /^setpriv: failed/);
  });

  it('reports missed packets, each time it mentions them', () => {
    const { lost, errors, stderr } = hear();
    for (let i = 0; i < 3; i++) stderr.push('[rtsp @ 0x1] [warning] RTP: missed 2 packets\n');
    stderr.push(
      '[rtsp @ 0x1] [warning] RTP: missed -3 packets\n[rtsp @ 0x1] [warning] RTP: missed 60000 packets\n',
    );
    stderr.push('[rtsp @ 0x1] [warning] RTP: dropping old packet received too late\n');
    assert.deepEqual([lost, errors], [[2, 2, 2], []], 'a sender that begins its numbers anew lost nothing');
  });

  it('reports where it was redirected', () => {
    const { urls, stderr } = hear();
    stderr.push('[rtsp @ 0x1] [info] Status 302: Redirecting to rtsp://10.0.0.1/loop\n');
    assert.deepEqual(urls, ['rtsp://10.0.0.1/loop']);
  });

  const input = (...lines: string[]) =>
    ["Input #0, mov, from 'file:clip.mp4':", ...lines, "Output #0, tee, to '[f=framecrc]pipe\\:1':"]
      .map((line) => `[info] ${line}\n`)
      .join('');
  const [sound, video] = ['  Stream #0:0(und): Audio: aac', '  Stream #0:1[0x2](und): Video: h264 (High)'];
  const matrix = (degrees: string) => `      displaymatrix: rotation of ${degrees} degrees`;

  for (const [degrees, clockwise] of [
    ['-90.00', 90],
    ['90.00', 270],
    ['-180.00', 180],
    ['180.00', 180],
    ['-88.7', 90],
    ['12.00', 0],
    ['nan', undefined],
  ] as const)
    it(`with a matrix of ${degrees} degrees means a turn by ${clockwise}`, () => {
      const { stderr } = hear();
      stderr.push(input(sound, video, '    Side data:', matrix(degrees)));
      assert.equal(stderr.rotation?.degrees, clockwise);
    });

  it('with the matrix of another track, or of the output, means nothing', () => {
    const { stderr } = hear();
    stderr.push(input(video, video.replace(':1', ':2'), matrix('-90.00')) + `[info] ${matrix('-90.00')}\n`);
    assert.equal(stderr.rotation, undefined);
    const other = hear();
    other.stderr.push(input(sound, matrix('-90.00'), video));
    assert.equal(other.stderr.rotation, undefined);
  });

  it('is bounded', () => {
    const { stderr } = hear();
    for (let i = 0; i < 1000; i++) stderr.push(`[error] ${'x'.repeat(200)}\n`);
    stderr.push('y'.repeat(100_000));
    assert.ok(stderr.errors.length <= 10_100);
  });
});

describe('losses', () => {
  const every = (watch: LossWatch, ms: number, untilMs: number, packets = 1) => {
    for (let at = 0; at < untilMs; at += 100) {
      watch.received(7000, at);
      if (ms > 0 && at % ms === 0) watch.lost(packets, at);
    }
  };

  it('are sustained when they come in four different seconds of half a minute', () => {
    const [burst, steady, rare] = [new LossWatch(), new LossWatch(), new LossWatch()];
    for (let i = 0; i < 500; i++) burst.lost(3, 1000 + i);
    every(steady, 5000, 20_000);
    every(rare, 20_000, 120_000);
    assert.deepEqual(
      [burst.isSustained(30_000), steady.isSustained(20_000), rare.isSustained(120_000)],
      [false, true, false],
    );
  });

  it('are reported ten seconds after the first, with their share, and not again without new ones', () => {
    const watch = new LossWatch();
    every(watch, 2000, 9000);
    assert.equal(watch.statement(9000), undefined);
    every(watch, 0, 1);
    const said = watch.statement(10_000);
    assert.ok(said !== undefined);
    assert.match(
      said.message,
      /^5 of some \d+ UDP packets \(1\.1 %\) were lost or came too late in the last \d+ s; /,
    );
    assert.equal(watch.statement(30_000), undefined);
    assert.equal(watch.total, 5);
  });

  it('are over once, after a minute without any', () => {
    const watch = new LossWatch();
    assert.equal(watch.isOver(0), false);
    watch.lost(1, 1000);
    assert.deepEqual(
      [watch.isOver(60_000), watch.isOver(61_000), watch.isOver(62_000)],
      [false, true, false],
    );
  });

  it('of an earlier opening do not count for the next', () => {
    const watch = new LossWatch();
    every(watch, 1000, 10_000);
    watch.reopen();
    assert.equal(watch.isSustained(10_000), false);
    assert.equal(watch.statement(20_000), undefined);
  });
});
