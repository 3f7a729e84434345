/**
 * A process that probes one feed for the daemon, sends its findings, and ends. It also ends with the daemon.
 */
import sharp from 'sharp';
import { faultRecord } from '../../fault/fault';
import type { ProbeOutcome, ProbeQuestion } from '../../protocol/probe';
import { probeFeed } from './capture/probe';
import { probeReport } from './capture/probe-report';
import { feedName } from '../../config/feed-name';

/** Pixels. */
const SHOWN_WIDTH = 640;

process.once('disconnect', () => process.exit());
process.once('message', (question) => {
  void answer(question as ProbeQuestion).then((outcome) => {
    process.send?.(outcome, () => process.disconnect());
  });
});

async function answer({ camera, ffmpeg, limitMs }: ProbeQuestion): Promise<ProbeOutcome> {
  const isKeyframe = camera.format === 'keyframe';
  const shown = isKeyframe ? camera : { ...camera, format: 'jpeg' as const };
  const found = await probeFeed(shown, ffmpeg, limitMs, new AbortController().signal).catch(
    (error: unknown) => ({
      keyframeIntervalsMs: [],
      choice: { sampling: 'unknown' as const, samplingReason: 'the probe failed' },
      fault: faultRecord(error, 'failed'),
    }),
  );
  const report = probeReport(feedName(camera.source), found, undefined);
  const picture = 'picture' in found && !isKeyframe ? found.picture : undefined;
  if (picture === undefined) return { report };
  const jpeg = await sharp(picture.bytes)
    .resize({ width: SHOWN_WIDTH, withoutEnlargement: true })
    .jpeg()
    .toBuffer()
    .catch(() => undefined);
  return jpeg === undefined ? { report } : { report, jpeg: jpeg.toString('base64') };
}
