/** What is remembered about a camera’s feed from one state to the next. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CameraState } from '../../../src/contract/message';
import { feedFaultOf, type FeedFault } from '../../../src/supervisor/camera-states';

const REFUSED = { code: 'refused', message: 'rtsp://cam/ refuses connections' };
const SILENT = { code: 'timeout', message: 'rtsp://cam/ does not answer' };

const rows: readonly [string, (readonly [CameraState['state'], typeof REFUSED?])[], FeedFault | undefined][] =
  [
    ['is none before it failed', [['connecting']], undefined],
    ['is that of its wait', [['connecting'], ['waiting', REFUSED]], { ...REFUSED, at: 1 }],
    ['stays while it is opened again', [['waiting', REFUSED], ['connecting']], { ...REFUSED, at: 0 }],
    [
      'is the newest',
      [['waiting', REFUSED], ['connecting'], ['waiting', SILENT], ['connecting']],
      { ...SILENT, at: 2 },
    ],
    ['ends with the first picture', [['waiting', REFUSED], ['connecting'], ['streaming']], undefined],
    [
      'ends with its process, which has a fault of its own',
      [['waiting', REFUSED], ['restarting', SILENT], ['connecting']],
      undefined,
    ],
    ['ends with the camera', [['waiting', REFUSED], ['stopped']], undefined],
  ];

describe('the fault of a feed', () => {
  for (const [what, states, expected] of rows)
    it(what, () => {
      const found = states.reduce<FeedFault | undefined>(
        (before, [state, fault], sinceMs) =>
          feedFaultOf({ ...{ camera: 'gate', state, sinceMs }, ...(fault && { fault }) }, before),
        undefined,
      );
      assert.deepEqual(found, expected);
    });
});
