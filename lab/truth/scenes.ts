/** Scenes that a seed makes: numbered pictures of known content, without any file. Pure. */
import { drawNumber, type RawPicture } from '../picture-number';
import { randomOf, type Random } from '../random';

export const SCENES = [
  'texture',
  'flat',
  'dark',
  'still',
  'walkers',
  'fog',
  'checks',
  'drift',
  'blobs',
  'lamps',
] as const;
export type PlainScene = (typeof SCENES)[number];
/** Good pictures that are easily taken for bad ones. */
export const HARD_SCENES = ['night', 'mist', 'snow', 'denoised', 'clock', 'card', 'dusk'] as const;
/** What a camera sends that sees nothing: through a cap, from a dead sensor, blinded, of a decoder without data. */
export const BLIND_SCENES = ['cap', 'dead', 'blinded', 'no-data'] as const;
/** `stuck`: of a camera that sends the same picture again and again. */
export type SceneName = PlainScene | 'stuck' | (typeof HARD_SCENES)[number] | (typeof BLIND_SCENES)[number];

type Paint = (x: number, y: number, picture: number) => readonly [red: number, green: number, blue: number];

/** A smooth random field: `cell` points from one random value to the next. */
function field(random: Random, cell: number): (x: number, y: number) => number {
  const side = 64;
  const values = Float64Array.from({ length: side * side }, () => random.next());
  const at = (x: number, y: number) => values[(y & (side - 1)) * side + (x & (side - 1))] ?? 0;
  return (x, y) => {
    const [u, v] = [x / cell, y / cell];
    const [i, j] = [Math.floor(u), Math.floor(v)];
    const [s, t] = [u - i, v - j];
    const top = at(i, j) * (1 - s) + at(i + 1, j) * s;
    return top * (1 - t) + (at(i, j + 1) * (1 - s) + at(i + 1, j + 1) * s) * t;
  };
}

const isNear = (x: number, y: number, atX: number, atY: number, radius: number) =>
  (x - atX) ** 2 + (y - atY) ** 2 < radius ** 2;

const PAINTERS: Readonly<Record<SceneName, (random: Random, width: number, height: number) => Paint>> = {
  texture: (random, width, height) => {
    const [wide, fine, tone] = [field(random, 40), field(random, 3), field(random, 90)];
    const [speed, radius] = [random.between(2, 7), height / 8];
    return (x, y, n) => {
      if (
        isNear(x, y, width * (0.5 + 0.33 * Math.cos(n / 10)), height * (0.6 + 0.25 * Math.sin(n / 7)), radius)
      )
        return [240, 200, 40];
      const shifted = x + n * speed;
      const level = 40 + 150 * wide(shifted, y) + 64 * (fine(shifted, y) - 0.5);
      return [level, level * (0.6 + 0.6 * tone(shifted, y)), level * (1.2 - 0.6 * tone(shifted, y))];
    };
  },
  flat: (random, width, height) => {
    const [base, tone] = [random.between(90, 200), field(random, 160)];
    return (x, y, n) => {
      if (isNear(x, y, (n * 4) % width, height * 0.7, height / 12)) return [90, 60, 50];
      const level = base + 14 * tone(x, y);
      return [level, level - 4, level - 10];
    };
  },
  dark: (random, width, height) => {
    const [tone, fine] = [field(random, 70), field(random, 4)];
    return (x, y, n) => {
      if (isNear(x, y, width * 0.2, height * 0.3, height / 30)) return [230, 210, 140];
      if (isNear(x, y, width - ((n * 3) % width), height * 0.75, height / 10)) return [58, 52, 44];
      const level = 6 + 26 * tone(x, y) + 8 * fine(x, y) + 4 * random.next();
      return [level, level, level * 1.15];
    };
  },
  still: (random) => {
    const [wide, fine] = [field(random, 30), field(random, 5)];
    return (x, y) => {
      const level = 30 + 150 * wide(x, y) + 50 * fine(x, y) + 3 * random.next();
      return [level, level * 0.95, level * 0.8];
    };
  },
  stuck: (random) => {
    const [wide, fine] = [field(random, 40), field(random, 4)];
    return (x, y) => {
      const level = 40 + 130 * wide(x, y) + 50 * fine(x, y);
      return [level * 0.9, level, level * 0.8];
    };
  },
  walkers: (random, width, height) => {
    const [wide, fine] = [field(random, 60), field(random, 6)];
    const walkers = Array.from({ length: 6 }, () => ({
      speed: random.between(-6, 6) || 3,
      from: random.between(0, width),
      at: height * (0.35 + 0.5 * random.next()),
      colour: [random.between(20, 240), random.between(20, 240), random.between(20, 240)] as const,
    }));
    return (x, y, n) => {
      for (const { speed, from, at, colour } of walkers) {
        const left = (((from + speed * n) % width) + width) % width;
        if (x >= left && x < left + width / 24 && Math.abs(y - at) < height / 8) return colour;
      }
      const level = 60 + 100 * wide(x, y) + 40 * fine(x, y);
      return [level * 0.9, level, level * 0.9];
    };
  },
  fog: (random, width, height) => {
    const [wide, fine] = [field(random, 50), field(random, 6)];
    return (x, y, n) => {
      const isCar = isNear(x, y, (n * 5) % width, height * 0.7, height / 9);
      const level = 178 + 24 * wide(x, y) + 6 * fine(x, y) - (isCar ? 30 : 0) + 2 * random.next();
      return [level, level, level + 2];
    };
  },
  checks: (random) => {
    const [size, speed] = [random.between(12, 40), random.between(1, 5)];
    return (x, y, n) => {
      const isOdd = (Math.floor((x + n * speed) / size) + Math.floor((y + n) / size)) % 2 === 1;
      return isOdd ? [210, 190, 170] : [50, 70, 90];
    };
  },
  drift: (random) => {
    const [wide, fine] = [field(random, 24), field(random, 4)];
    const [alongX, alongY] = [random.between(1, 4), random.between(1, 4)];
    return (x, y, n) => {
      const level =
        20 + 140 * wide(x + n * alongX, y + n * alongY) + 70 * fine(x + n * alongX, y + n * alongY);
      return [level * 0.7, level, level * 0.6];
    };
  },
  blobs: (random, width, height) => {
    const [wide, tone] = [field(random, 80), field(random, 50)];
    return (x, y, n) => {
      const level = 40 + 180 * wide(x + 30 * Math.sin(n / 12), y + 20 * Math.cos(n / 9));
      const other = tone(x - n * 3, y);
      return [
        level * other + 40,
        level * 0.8,
        (255 - level) * (1 - other) + 20 * (x / width) + 10 * (y / height),
      ];
    };
  },
  night: (random) => () => {
    const level = 5 + 4 * (random.next() + random.next() - 1);
    return [level, level, level];
  },
  mist: (random) => {
    const wide = field(random, 60);
    return (x, y) => {
      const level = 180 + 255 * 0.02 * (wide(x, y) - 0.5) + random.next();
      return [level, level, level];
    };
  },
  snow: (random) => {
    const wide = field(random, 30);
    return (x, y) => {
      const level = 250 + 4 * wide(x, y) + random.next();
      return [level, level, level];
    };
  },
  denoised: (random) => {
    const [wide, fine] = [field(random, 50), field(random, 7)];
    return (x, y, n) => {
      const level = 50 + 120 * wide(x, y) + 40 * fine(x, y) + 0.4 * Math.sin(n / 7) + 0.5 * random.next();
      return [level, level * 0.95, level * 0.9];
    };
  },
  clock: (random, width, height) => {
    const [wide, fine] = [field(random, 50), field(random, 7)];
    return (x, y, n) => {
      const digit = Math.floor((x * 40) / width);
      const isClock = y < height / 20 && digit < 8;
      if (isClock) return ((Math.floor(n / 5) >> digit) & 1) === 1 ? [255, 255, 255] : [0, 0, 0];
      const level = 50 + 120 * wide(x, y) + 40 * fine(x, y);
      return [level, level * 0.95, level * 0.9];
    };
  },
  cap: (random) => () => {
    const level = 3 * random.next();
    return [level, level, level];
  },
  dead: () => () => [90, 90, 90],
  blinded: () => () => [255, 255, 255],
  'no-data': () => () => [128, 128, 128],
  card: (_, width, height) => (x, y, n) => {
    const bars = [
      [235, 235, 235],
      [235, 235, 16],
      [16, 235, 235],
      [16, 235, 16],
      [235, 16, 235],
      [235, 16, 16],
      [16, 16, 235],
      [16, 16, 16],
    ] as const;
    if (y > height * 0.9) return x < (n * 4) % width ? [235, 235, 235] : [16, 16, 16];
    return bars[Math.floor((8 * x) / width)] ?? [16, 16, 16];
  },
  dusk: (random, _, height) => {
    const wide = field(random, 40);
    return (x, y) => {
      const level = y < height / 2 ? 24 + random.next() : 4 + 6 * wide(x, y) + random.next();
      return [level * 0.8, level * 0.9, level];
    };
  },
  lamps: (random, width, height) => {
    const lamps = Array.from({ length: 12 }, () => [
      random.between(0, width),
      random.between(height / 5, height),
    ]);
    const tone = field(random, 30);
    return (x, y, n) => {
      const level = 10 + 14 * tone(x, y) + 3 * random.next();
      for (const [i, [atX = 0, atY = 0]] of lamps.entries())
        if (isNear(x, y, (atX + n * (i % 3) * 3) % width, atY, height / 24)) return [250, 230, 180 - 8 * i];
      return [level * 1.1, level, level * 0.9];
    };
  },
};

/** Numbered from 0 on, one after the other: the same for the same seed. */
export function* pictures(
  scene: SceneName,
  seed: number,
  {
    width,
    height,
    count,
    numbered = true,
  }: {
    readonly width: number;
    readonly height: number;
    readonly count: number;
    readonly numbered?: boolean;
  },
): Generator<RawPicture> {
  const paint = PAINTERS[scene](randomOf(seed), width, height);
  for (let n = 0; n < count; n++) {
    const rgb = Buffer.alloc(3 * width * height);
    let at = 0;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (const level of paint(x, y, n)) rgb[at++] = Math.min(255, Math.max(0, level));
    const picture = { width, height, rgb };
    if (numbered) drawNumber(picture, n);
    yield picture;
  }
}
