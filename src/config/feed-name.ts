/** The name of a camera's feed in sentences. Pure. */
import { redactUrl } from '../url/redact';
import type { CameraSource } from './topology';

/** The feed's name in sentences: never with credentials. */
export function feedName(source: CameraSource): string {
  switch (source.kind) {
    case 'stream':
    case 'still':
      return redactUrl(source.url);
    case 'file':
      return `file ${source.path}`;
    case 'test':
      return `test picture ${source.pattern}`;
  }
}
