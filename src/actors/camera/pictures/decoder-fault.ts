/** Why a decoder fails, in plain text for operators, from its ffmpeg's messages. Pure. */
import type { FaultRecord } from '../../../fault/fault';
import { redactText } from '../../../url/redact';
import { lastLine } from '../ffmpeg/last-line';

/** Why a decoder ended, from its standard error. The message lacks its subject. */
export function decodeFault(codec: string, stderr: string): FaultRecord {
  const toDo = 'set the camera to H.264, H.265 or MJPEG';
  if (/Unknown decoder|Decoder .*not found/i.test(stderr))
    return {
      code: 'unsupported-codec',
      message: `its ${codec} video is in a format this ffmpeg cannot decode; ${toDo}`,
    };
  const last = lastLine(redactText(stderr));
  return {
    code: 'undecodable',
    message: `its ${codec} video cannot be decoded; ffmpeg said: ${last || '(nothing)'}`,
  };
}

/** Why the hardware does not decode. The first message names the cause; the last says only that it failed. */
export function hardwareFault(hwaccel: string, stderr: string): FaultRecord {
  const lines = redactText(stderr)
    .split('\n')
    .map((line) => line.replace(/^\[[^\]]*\] /, '').trim())
    .filter((line) => line !== '');
  const said = lines.slice(0, 2).join(' ').slice(0, 200);
  return { code: 'hwaccel', message: `${hwaccel} does not start: ffmpeg said: ${said || '(nothing)'}` };
}
