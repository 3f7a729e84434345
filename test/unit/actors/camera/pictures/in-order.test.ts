/** Pictures of two makers, the second of which is faster. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { inOrder } from '../../../../../src/actors/camera/pictures/in-order';
import type { Picture } from '../../../../../src/actors/camera/pictures/decoder';

const picture = (sequence: number) => ({ sample: { capturedAt: 1000 * sequence, sequence } }) as Picture;

function outcome() {
  const got: string[] = [];
  return {
    got,
    onPicture: ({ sample }: Picture) => void got.push(`picture ${sample.sequence}`),
    onLost: ({ sequence }: Picture['sample']) => void got.push(`lost ${sequence}`),
  };
}

describe('a picture that is made', () => {
  it('is returned at once if nothing is pending', () => {
    const { got, ...events } = outcome();
    inOrder(undefined, events).onPicture(picture(1));
    assert.deepEqual(got, ['picture 1']);
  });

  for (const how of ['settled', 'failed'])
    it(`waits until what was before it has ${how}, and keeps its order`, async () => {
      const { got, ...events } = outcome();
      let end: () => void = () => undefined;
      const before = new Promise<void>((resolve, reject) => {
        end = how === 'settled' ? resolve : () => reject(new Error('its feed ended'));
      });
      const after = inOrder(before, events);
      after.onPicture(picture(2));
      after.onLost(picture(3).sample);
      events.onPicture(picture(1));
      await setImmediate();
      assert.deepEqual(got, ['picture 1']);
      end();
      await setImmediate();
      after.onPicture(picture(4));
      await setImmediate();
      assert.deepEqual(got, ['picture 1', 'picture 2', 'lost 3', 'picture 4']);
    });
});
