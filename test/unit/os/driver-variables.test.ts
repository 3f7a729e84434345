/** Which environment variables reach the drivers of graphics hardware. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { UPRIGHT } from '../../../src/actors/camera/ffmpeg/rotation';
import { decoderInvocation } from '../../../src/actors/camera/pictures/decoder-arguments';
import { FfmpegProcess } from '../../../src/actors/camera/ffmpeg/ffmpeg-process';
import { driverVariables } from '../../../src/os/driver-variables';
import { cameraSpec } from '../../../lab/camera-spec';

it('names drivers and where their libraries are, and nothing else', () => {
  const drivers = {
    ...{
      LIBVA_DRIVER_NAME: 'iHD',
      LIBVA_DRIVERS_PATH: '/d',
      CUDA_VISIBLE_DEVICES: '1',
      NVIDIA_VISIBLE_DEVICES: 'all',
    },
    ...{
      ONEVPL_SEARCH_PATH: '/v',
      LD_LIBRARY_PATH: '/l',
      MESA_LOADER_DRIVER_OVERRIDE: 'iris',
      DRI_PRIME: '1',
    },
  };
  const others = { PASSWORD: 'hush', LD_PRELOAD: '/x.so', HOME: '/root', AWS_SECRET: 'hush', XLIBVA_X: '1' };
  assert.deepEqual(driverVariables({ ...drivers, ...others }), drivers);
});

for (const hwaccel of ['vaapi', undefined] as const)
  it(`reaches the ffmpeg that decodes ${hwaccel === undefined ? 'in software not at all' : 'by hardware'}`, async (t) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-drivers-'));
    t.after(() => {
      rmSync(dir, { recursive: true });
      delete process.env['LIBVA_DRIVER_NAME'];
    });
    const program = path.join(dir, 'ffmpeg');
    writeFileSync(program, '#!/bin/sh\nenv\n');
    chmodSync(program, 0o755);
    process.env['LIBVA_DRIVER_NAME'] = 'iHD';
    let told = '';
    const camera = cameraSpec(hwaccel === undefined ? {} : { hwaccel });
    const invocation = decoderInvocation(camera, 'h264', {
      interlaced: false,
      rotation: UPRIGHT,
      colours: [],
    });
    const ffmpeg = new FfmpegProcess(
      program,
      invocation,
      (chunk) => (told += chunk.toString()),
      () => undefined,
    );
    await ffmpeg.exited;
    assert.match(told, /^PATH=/m);
    assert.equal(/^LIBVA_DRIVER_NAME=iHD$/m.test(told), hwaccel !== undefined);
  });
