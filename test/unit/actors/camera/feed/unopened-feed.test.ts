/** The fault of a feed in which ffmpeg found nothing to play, or that is a file. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openFault, type Opened } from '../../../../../src/actors/camera/feed/fault';
import { readAddress } from '../../../../../src/actors/camera/rtsp/address';
import type { RtspAnswer } from '../../../../../src/actors/camera/rtsp/answer';
import { concat51, method } from './ffmpeg-stderr';

describe('a feed fault', () => {
  const unsized =
    '[tee @ 0x1] dimensions not set\nCould not write header for output file #0 : Invalid argument\n';
  const described = (tracks: readonly string[]): RtspAnswer => {
    const address = readAddress('rtsp://cam/live');
    assert.ok(address !== undefined);
    return { kind: 'described', address, afterMs: 9, described: { tracks, transportStream: false } };
  };
  const invalid = concat51('', 'Invalid data found when processing input');
  const unanswered = concat51('', 'Operation not permitted');
  const asked = described(['audio', 'video']);
  const cuts: readonly [string, string, string, Opened][] = [
    ['closed', 'rtsp://cam/live', invalid, { answer: asked }],
    ['closed', 'rtsp://cam/live', unanswered, { answer: asked }],
    ['closed', 'rtsp://cam/live', invalid, { answer: { kind: 'unreached' } }],
    ['closed', 'rtsp://cam/live', unsized, { answer: asked, cut: true }],
    ['closed', 'rtmp://cam/live', unsized, { cut: true }],
    ['closed', 'http://cam/a.flv', "Stream map '0:v:0' matches no streams.\n", { cut: true }],
    [
      'video-late',
      'rtsp://cam/live',
      "Stream map '0:v:0' matches no streams.\n",
      { answer: asked, cut: true },
    ],
    ['not-a-stream', 'http://cam/page', invalid, { cut: true }],
    ['not-a-stream', 'rtsp://cam/live', invalid, { answer: described(['audio']) }],
  ];
  for (const [code, url, text, opened] of cuts)
    it(`is "${code}" for ${url} if ffmpeg prints ${JSON.stringify(text.trim().slice(-40))}, and it is known ${Object.keys(opened).join(' and ')}`, () => {
      const fault = openFault({ kind: 'stream', url, transport: 'tcp' }, text.replaceAll('URL', url), opened);
      assert.equal(fault.code, code);
      if (code === 'closed') assert.doesNotMatch(fault.message, /connectMs|not with video/);
      if (code === 'closed' && opened.answer === asked) assert.doesNotMatch(fault.message, /URL/);
    });

  const vague: readonly [string, string, string, RtspAnswer?][] = [
    ['video-late', 'rtsp://cam/live', unsized, described(['audio', 'video'])],
    ['video-late', 'rtmp://cam/live', unsized],
    ['video-late', 'http://cam/a.flv', "Stream map '0:v:0' matches no streams.\n"],
    ['not-a-stream', 'rtsp://cam/live', unsized, described(['audio'])],
    [
      'picture-too-wide',
      'rtsp://cam/live',
      `[mjpeg @ 0x1] [IMGUTILS @ 0x2] Picture size 0x0 is invalid\n${unsized}`,
    ],
  ];
  for (const [code, url, text, answer] of vague)
    it(`is "${code}" if ffmpeg found no size or track in ${url}${answer === undefined ? '' : ', which was asked'}`, () => {
      const fault = openFault({ kind: 'stream', url, transport: 'tcp' }, text, { answer });
      assert.equal(fault.code, code);
      assert.doesNotMatch(fault.message, /restart/);
    });

  it('says so if the camera asks for a password and none is given', () => {
    const fault = openFault(
      { kind: 'stream', url: 'rtsp://cam/a', transport: 'tcp' },
      method('401 Unauthorized'),
    );
    assert.match(fault.message, /asks for a user name and password, and none is given/);
  });

  const files: readonly [string, string][] = [
    ['no-file', 'file:/media/a.mp4: No such file or directory\n'],
    ['no-permission', 'file:/media/a.mp4: Permission denied\n'],
    ['not-a-stream', 'file:/media/a.mp4: Invalid data found when processing input\n'],
    [
      'not-a-stream',
      "Stream map '0:v:0' matches no streams.\nTo ignore this, add a trailing '?' to the map.\n",
    ],
    [
      'no-file',
      '[in#0 @ 0x55] Error opening input: No such file or directory\nError opening input file file:/media/a.mp4.\nError opening input files: No such file or directory\n',
    ],
    ['failed', 'file:/media/a.mp4: Is a directory\n'],
    ['unsupported-codec', '[vist#0:0/none @ 0x55] Decoder (codec none) not found for input stream #0:0\n'],
  ];
  for (const [code, text] of files)
    it(`is "${code}" if ffmpeg prints ${JSON.stringify(text.slice(0, 60))} for a file`, () => {
      const fault = openFault({ kind: 'file', path: '/media/a.mp4' }, text);
      assert.equal(fault.code, code);
      assert.match(fault.message, /^file \/media\/a\.mp4 /);
    });
});
