/** Pictures that carry their own number: a row of black and white blocks at the top, read back from the stored JPEG. */
import sharp from 'sharp';

const BLOCKS = 16;
/** The lowest bit first; the blocks behind alternate, so that a picture without a number is noticed. */
const NUMBER_BITS = 12;
const ROW_HEIGHT = 64;

/** A source of ffmpeg's lavfi: `scene` with each picture's number drawn on it. */
export function withNumbers(scene: string, width: string, fps: number): string {
  const white = `if(lt(X,${String(NUMBER_BITS)}),mod(floor(N/pow(2,X)),2),mod(X,2))`;
  const blocks = `color=size=${String(BLOCKS)}x2:rate=${String(fps)},format=gray,geq=lum='255*${white}'`;
  const row = `scale=${width}:${String(ROW_HEIGHT)}:flags=neighbor`;
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
