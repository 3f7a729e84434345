import { FfmpegProcess } from './src/actors/camera/ffmpeg-process';
import { receiverInvocation } from './src/actors/camera/ffmpeg-arguments';
import { PacketSplitter } from './src/actors/camera/packet-splitter';
import { cameraSpec } from './test/support/camera-spec';
import { CONTAINERS, startProgressiveServer } from './test/support/feeds/progressive';
import { startRtmpServer } from './test/support/feeds/rtmp';
void (async () => {
  const server = await startProgressiveServer();
  const seconds = Number(process.argv[2] ?? 12);
  const names = process.argv[3] ? process.argv[3].split(',') : Object.keys(CONTAINERS);
  for (const name of names) {
    await Promise.all([10, 25, 30, 50, 60].map(async (fps) => {
      const url = server.url(name as never, fps);
      const splitter = new PacketSplitter(); const errors: number[] = []; const wall: number[] = [];
      const p = new FfmpegProcess('ffmpeg', receiverInvocation(cameraSpec({ source: { kind: 'stream', url, transport: 'tcp' } })), (chunk) => {
        const now = Date.now();
        for (const k of splitter.push(chunk)) { errors.push(Math.round((k.pts ?? NaN) - now)); wall.push(now); }
      }, () => undefined);
      await new Promise((r) => setTimeout(r, seconds * 1000));
      await p.end();
      const third = Math.floor(errors.length / 3);
      const q = (a: number[], x: number) => [...a].sort((m, n) => m - n)[Math.floor(x * (a.length - 1))];
      const [a, b] = [errors.slice(0, third), errors.slice(-third)];
      const rate = (1000 * (errors.length - third)) / ((wall.at(-1) ?? 0) - (wall[third - 1] ?? 0));
      console.log(name, fps, 'unit', splitter.header.unitMs.toFixed(4), 'n', errors.length, 'rate', rate.toFixed(1), 'first third p5/50/95', q(a, 0.05), q(a, 0.5), q(a, 0.95), 'last', q(b, 0.05), q(b, 0.5), q(b, 0.95), p.stderr.slice(0, 150).replace(/\n/g, ' '));
    }));
  }
  await server.stop();
})();
