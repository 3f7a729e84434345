/** Names of spooled pictures: sorted by capture time, and all the store needs to know is in them. */
import { formatOfExtension, frameExtension, type Frame } from '../contract/frame';

const NAME = /^(\d{13})-(\d{1,15})-(\d{1,5})x(\d{1,5})-(\d{1,10})\.([a-z0-9]{3,4})$/;

/** `<captured ms>-<sequence>-<width>x<height>-<bytes>.<extension>` */
export function spoolName(frame: Frame): string {
  const { capturedAt, sequence, width, height, bytes, format } = frame;
  const time = String(capturedAt).padStart(13, '0');
  return `${time}-${String(sequence)}-${String(width)}x${String(height)}-${String(bytes)}.${frameExtension(format)}`;
}

/** The frame a spool name tells of; undefined for any other name, such as a temporary file's. */
export function parseSpoolName(camera: string, name: string): Frame | undefined {
  const match = NAME.exec(name);
  const format = formatOfExtension(match?.[6] ?? '');
  if (match === null || format === undefined) return undefined;
  const [capturedAt = 0, sequence = 0, width = 0, height = 0, bytes = 0] = match.slice(1, 6).map(Number);
  return { camera, capturedAt, sequence, width, height, bytes, format };
}
