/** Hardware decoding, and what follows if it does not start. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  accelerationOf,
  accelerationText,
  afterHardwareFault,
} from '../../../../../src/actors/camera/ffmpeg/acceleration';
import { hardwareFault } from '../../../../../src/actors/camera/pictures/decoder-fault';

const fault = (message: string) => ({ code: 'hwaccel', message });

describe('hardware decoding', () => {
  it('is software unless something else is configured', () => {
    assert.equal(accelerationText(accelerationOf(undefined, 'linux')), 'software');
    assert.equal(accelerationText(accelerationOf('auto', 'aix')), 'software');
  });

  it('falls back to software with the reason', () => {
    const failed = afterHardwareFault(accelerationOf('cuda', 'linux'), fault('cuda does not start'));
    assert.equal(failed.current, undefined);
    assert.equal(accelerationText(failed), 'software (cuda does not start)');
  });

  it('tries one after the other for "auto"', () => {
    let acceleration = accelerationOf('auto', 'linux');
    const tried: (string | undefined)[] = [acceleration.current];
    for (const why of ['a', 'b', 'c']) {
      acceleration = afterHardwareFault(acceleration, fault(why));
      tried.push(acceleration.current);
    }
    assert.deepEqual(tried, ['vaapi', 'cuda', 'qsv', undefined]);
    assert.equal(accelerationText(acceleration), 'software (a; b; c)');
    assert.equal(accelerationOf('auto', 'darwin').current, 'videotoolbox');
  });

  it('is kept through faults that are not its own', () => {
    const vaapi = accelerationOf('vaapi', 'linux');
    assert.equal(afterHardwareFault(vaapi, { code: 'ended', message: '' }), vaapi);
  });

  it('has a reason that names the cause, without addresses and credentials', () => {
    const said =
      '[AVHWDeviceContext @ 0x55] Cannot load libcuda.so.1\n[x @ 0x5] rtsp://u:hush@cam/a\nfailed\n';
    const { message } = hardwareFault('cuda', said);
    assert.equal(message, 'cuda does not start: ffmpeg said: Cannot load libcuda.so.1 rtsp://cam/a');
  });
});
