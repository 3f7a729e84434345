/** Streams as encoders make them: what is read from their pictures, and what the camera's decoder returns, and when. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readNumber } from '../../lab/picture-number';
import { CodedPictures, type CodedPicture } from '../../src/actors/camera/pictures/coded-pictures';
import { Decoder, type Picture } from '../../src/actors/camera/pictures/decoder';
import { pictureLook } from '../../src/actors/camera/pictures/look';
import { cameraSpec } from '../../lab/camera-spec';
import { encodedPackets, type NumberedPacket } from '../../lab/encoded-packets';
import { until } from '../../lab/until';

const NO_SIZE = { width: 0, height: 0 };
const CAMERA = cameraSpec();
const PICTURES = 100;

const x264 = (params: string, ...more: string[]) => [
  ...['-c:v', 'libx264', '-preset', 'veryfast', ...more],
  ...['-x264-params', `repeat-headers=1:scenecut=0:keyint=25:min-keyint=25:${params}`],
];
const x265 = (params: string, ...more: string[]) => [
  ...['-c:v', 'libx265', '-preset', 'ultrafast', ...more],
  ...['-x265-params', `log-level=error:repeat-headers=1:keyint=25:min-keyint=25:${params}`],
];

interface Stream {
  readonly name: string;
  readonly codec: 'h264' | 'hevc';
  readonly encoder: readonly string[];
  /** The largest number of pictures from one shown in order to the next. */
  readonly reorder: number;
}

const STREAMS: readonly Stream[] = [
  { name: 'H.264 without B-frames', codec: 'h264', encoder: x264('bframes=0'), reorder: 1 },
  { name: 'H.264, two B-frames', codec: 'h264', encoder: x264('bframes=2:b-adapt=0'), reorder: 3 },
  {
    name: 'H.264, four B-frames, pyramid',
    codec: 'h264',
    encoder: x264('bframes=4:b-adapt=0:b-pyramid=normal'),
    reorder: 5,
  },
  {
    name: 'H.264, strict pyramid, CAVLC, slices',
    codec: 'h264',
    encoder: x264('bframes=3:b-adapt=0:b-pyramid=strict:cabac=0:slices=4'),
    reorder: 4,
  },
  {
    name: 'H.264, open GOP',
    codec: 'h264',
    encoder: x264('bframes=3:b-adapt=0:open-gop=1'),
    reorder: 4,
  },
  {
    name: 'H.264, open GOP, CAVLC, slices',
    codec: 'h264',
    encoder: x264('bframes=2:b-adapt=0:open-gop=1:cabac=0:slices=3'),
    reorder: 3,
  },
  {
    name: 'H.264, interlaced (MBAFF), two B-frames',
    codec: 'h264',
    encoder: x264('bframes=2:b-adapt=0:interlaced=1'),
    reorder: 3,
  },
  { name: 'H.265 without B-frames', codec: 'hevc', encoder: x265('bframes=0'), reorder: 1 },
  { name: 'H.265, two B-frames', codec: 'hevc', encoder: x265('bframes=2:b-adapt=0:open-gop=0'), reorder: 3 },
  {
    name: 'H.265, open GOP, four B-frames, pyramid',
    codec: 'hevc',
    encoder: x265('bframes=4:b-adapt=0:open-gop=1:b-pyramid=1'),
    reorder: 5,
  },
  {
    name: 'H.265 in 10 bit, temporal layers',
    codec: 'hevc',
    encoder: x265('bframes=3:b-adapt=0:temporal-layers=1', '-pix_fmt', 'yuv420p10le'),
    reorder: 4,
  },
];

interface Coded extends CodedPicture {
  readonly number: number;
}

class Stage {
  readonly pictures: CodedPictures;
  readonly coded: readonly Coded[];

  constructor(
    private readonly codec: string,
    packets: readonly NumberedPacket[],
  ) {
    this.pictures = new CodedPictures(codec);
    this.coded = packets.flatMap(({ packet, number }) =>
      this.pictures.push(packet).map((picture) => ({ ...picture, number })),
    );
  }

  /** Feeds packets that `feeds` selects; each picture that `takes` selects must arrive before the next packet. */
  async numbersTaken(
    feeds: (picture: Coded) => boolean,
    takes: (picture: Coded) => boolean,
  ): Promise<{ wanted: number[]; got: number[]; verdicts: (number | undefined)[] }> {
    const given: Picture[] = [];
    const faults: Error[] = [];
    const look = pictureLook(CAMERA, { codec: this.codec, height: 0 }, this.pictures.reader.format, false);
    const decoder = new Decoder(
      { camera: CAMERA, ffmpeg: 'ffmpeg', codec: this.codec, look },
      {
        onPicture: (picture) => given.push(picture),
        onLost: ({ sequence }) => faults.push(new Error(`picture ${sequence} was lost`)),
        onFault: (fault) => faults.push(fault),
        onStderr: () => undefined,
      },
    );
    const wanted: number[] = [];
    for (const picture of this.coded.filter(feeds)) {
      const { packet, facts, number } = picture;
      const bytes = this.pictures.reader.forDecoder(packet.bytes, facts.key);
      const sample = { capturedAt: number, sequence: number };
      const isWanted = takes(picture);
      if (isWanted) wanted.push(number);
      decoder.feed({ bytes, size: NO_SIZE, renews: facts.renews }, isWanted ? sample : undefined);
      await until('its picture', () => given.length === wanted.length || faults.length > 0);
    }
    await decoder.finish();
    assert.deepEqual(faults, []);
    const got = await Promise.all(given.map(async ({ bytes }) => readNumber(bytes)));
    return { wanted, got, verdicts: given.map(({ evidence }) => evidence.damage?.confidence) };
  }
}

for (const { name, codec, encoder, reorder } of STREAMS)
  describe(name, () => {
    let stage: Stage;
    before(async () => {
      stage = new Stage(codec, await encodedPackets(PICTURES, encoder));
    });

    it('is searched correctly for keyframes and for pictures that are shown in order', () => {
      const keys = stage.coded.filter(({ facts }) => facts.key).map(({ number }) => number);
      assert.equal(keys.length, 4, keys.join(' '));
      let [newest, since] = [-1, 0];
      for (const { facts, number } of stage.coded) {
        assert.equal(facts.inOrder, number > newest, `picture ${number}`);
        since = facts.inOrder ? 1 : since + 1;
        assert.ok(since <= reorder, `${since} pictures without one in order`);
        newest = Math.max(newest, number);
        assert.equal(facts.state, 'whole');
      }
    });

    it('gives each keyframe at once, even alone, and the right one', async () => {
      const isKey = ({ facts }: Coded) => facts.key;
      const { wanted, got, verdicts } = await stage.numbersTaken(isKey, isKey);
      assert.deepEqual(got, wanted);
      assert.deepEqual(new Set(verdicts), new Set([undefined]));
    });

    it('gives each picture shown in order at once, and the right one, without those that nothing references', async () => {
      const { wanted, got, verdicts } = await stage.numbersTaken(
        ({ facts }) => facts.needed || facts.inOrder,
        ({ facts }) => facts.inOrder,
      );
      assert.deepEqual(got, wanted);
      assert.deepEqual(new Set(verdicts), new Set([undefined]));
    });

    it('gives pictures between keyframes even if the previous group was not decoded', async () => {
      const keys = stage.coded.flatMap(({ facts }, i) => (facts.key ? [i] : []));
      const [from = 0, to = 0] = keys.slice(1);
      const group = new Set([stage.coded[0], ...stage.coded.slice(from, to)]);
      const feeds = (picture: Coded) => group.has(picture) && (picture.facts.needed || picture.facts.inOrder);
      const { wanted, got, verdicts } = await stage.numbersTaken(feeds, ({ facts }) => facts.inOrder);
      assert.deepEqual(got, wanted);
      assert.deepEqual(new Set(verdicts), new Set([undefined]));
    });
  });

describe('intra refresh', () => {
  /** x265 does not mark the start of a refresh: this recovery point (H.265, D.2.8) over 25 pictures is prepended. */
  const RECOVERY_POINT = Buffer.from('000000014e010602065480', 'hex');
  for (const [codec, encoder, mark] of [
    ['h264', x264('bframes=0:intra-refresh=1'), Buffer.alloc(0)],
    ['hevc', x265('bframes=0:intra-refresh=1'), RECOVERY_POINT],
  ] as const)
    it(`of ${codec} has only one keyframe, and pictures become whole if decoding begins in the middle`, async () => {
      const packets = await encodedPackets(PICTURES, encoder);
      const all = new Stage(codec, packets);
      assert.deepEqual(
        all.coded.filter(({ facts }) => facts.key).map(({ number }) => number),
        [0],
      );
      const marked = packets.map(({ packet, number }) => ({
        packet: number === 50 ? { ...packet, bytes: Buffer.concat([mark, packet.bytes]) } : packet,
        number,
      }));
      const joined = new Stage(codec, marked.slice(40));
      const states = joined.coded.map(({ facts }) => facts.state);
      assert.deepEqual([...new Set(states)], ['undecodable', 'recovering', 'whole']);
      const { wanted, got } = await joined.numbersTaken(
        ({ facts }) => facts.state !== 'undecodable',
        ({ facts }) => facts.state === 'whole',
      );
      assert.deepEqual(got, wanted);
      assert.ok(got.length > 10, `${got.length} pictures`);
    });
});
