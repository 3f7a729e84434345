/** A camera list with secrets in it, behind an editable daemon: what tests of changes over HTTP begin with. */
import type { TestContext } from 'node:test';
import type { ProbeReport } from '../src/protocol/probe';
import { EditableDaemon, type EditableOptions } from './editable-daemon';

export const CANARY = 'C4n4ry-0f-th1s-test';
export const CONFIG = {
  // No probe runs it: any program that every machine with this test has.
  ffmpeg: process.execPath,
  namespace: 'n',
  cameras: [
    {
      id: 'gate',
      url: `rtsp://viewer:${CANARY}@10.0.0.1/live?token=${CANARY}`,
      password: '${GATE_PASSWORD}',
    },
    { id: 'test', test: 'testsrc2' },
    { id: 'off', test: 'testsrc2', enabled: false },
  ],
};
/** Headers of a change: of whatever is there, and of nothing that is there. */
export const ANY = { 'if-match': '*' };
export const NEW = { 'if-none-match': '*' };
/** What a probe that saw nothing reports. */
export const NOTHING: ProbeReport = {
  ...{ feed: 'test picture', codec: null, width: null, height: null, picturesPerSecond: null },
  ...{ keyframeIntervalMs: null, firstPictureMs: null, clockOffsetMs: null, sampling: 'unknown' },
  ...{ samplingReason: 'nothing yet', processorSecondsPerMinute: null, measuredForMs: null },
  ...{ transport: null, decoding: null, saved: null, fault: null },
};

export async function openEditable(
  t: TestContext,
  options: Partial<EditableOptions> = {},
): Promise<EditableDaemon> {
  const environment = { GATE_PASSWORD: CANARY, SECRET: CANARY };
  const daemon = await EditableDaemon.open({ config: CONFIG, environment, ...options });
  t.after(() => daemon.close());
  return daemon;
}
