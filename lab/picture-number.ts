/** Pictures that carry their own number: a row of black and white blocks at the top, drawn and read back. */
import sharp from 'sharp';

const BLOCKS = 16;
/** The lowest bit first; the blocks behind alternate, so that a picture without a number is noticed. */
const NUMBER_BITS = 12;
const ROW_HEIGHT = 64;
/** Levels between these are not those of an intact block: it was damaged. */
const BLACK = 90;
const WHITE = 166;

/** Pictures without padding: three bytes, red, green and blue, for each point. */
export interface RawPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
}

/** A source of ffmpeg's lavfi: `scene` with each picture's number drawn on it. */
export function withNumbers(scene: string, width: string, fps: number): string {
  const white = `if(lt(X,${NUMBER_BITS}),mod(floor(N/pow(2,X)),2),mod(X,2))`;
  const blocks = `color=size=${BLOCKS}x2:rate=${fps},format=gray,geq=lum='255*${white}'`;
  const row = `scale=${width}:${ROW_HEIGHT}:flags=neighbor`;
  return `${scene}[scene];${blocks},${row}[row];[scene][row]overlay=shortest=1[out0]`;
}

/** @throws when the picture carries none */
export async function readNumber(picture: Buffer): Promise<number> {
  const { width } = await sharp(picture).metadata();
  const grey = await sharp(picture)
    .extract({ left: 0, top: 0, width, height: ROW_HEIGHT })
    .greyscale()
    .resize(BLOCKS, 1, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
  const bits = [...grey].map((level) => Number(level > 127));
  if (bits.length !== BLOCKS || bits.slice(NUMBER_BITS).some((bit, i) => bit !== i % 2))
    throw new Error(`a picture carries no number: ${bits.join('')}`);
  return bits.slice(0, NUMBER_BITS).reduce((number, bit, i) => number + bit * 2 ** i, 0);
}

/** Height of the row in pictures that {@link drawNumber} numbered: an eighth, in whole macroblocks where it is large enough. */
export function rowHeight(height: number): number {
  const eighth = Math.floor(height / 8);
  return eighth < 16 ? eighth : eighth - (eighth % 16);
}

/** @param number 0 to 4095 */
export function drawNumber({ width, height, rgb }: RawPicture, number: number): void {
  const row = Buffer.alloc(3 * width);
  for (let x = 0; x < width; x++) {
    const block = Math.floor((x * BLOCKS) / width);
    const isWhite = block < NUMBER_BITS ? (number >> block) % 2 === 1 : block % 2 === 1;
    row.fill(isWhite ? 255 : 0, 3 * x, 3 * x + 3);
  }
  for (let y = 0; y < rowHeight(height); y++) row.copy(rgb, 3 * width * y);
}

/** The number {@link drawNumber} drew; undefined where there is none that can be read without doubt. */
export function numberIn(picture: RawPicture): number | undefined {
  const levels = Array.from({ length: BLOCKS }, (_, block) => blockLevel(picture, block));
  if (levels.some((level) => level > BLACK && level < WHITE)) return undefined;
  const bits = levels.map((level) => Number(level >= WHITE));
  if (bits.slice(NUMBER_BITS).some((bit, i) => bit !== i % 2)) return undefined;
  return bits.slice(0, NUMBER_BITS).reduce((number, bit, i) => number + bit * 2 ** i, 0);
}

/** Level of the middle of a block, because its borders blur. */
function blockLevel({ width, height, rgb }: RawPicture, block: number): number {
  const size = { x: width / BLOCKS, y: rowHeight(height) };
  let [sum, points] = [0, 0];
  for (let y = Math.floor(size.y / 4); y < (3 * size.y) / 4; y++)
    for (let x = Math.ceil((block + 0.25) * size.x); x < (block + 0.75) * size.x; x++) {
      sum += rgb[3 * (y * width + x) + 1] ?? 0;
      points++;
    }
  return sum / points;
}
