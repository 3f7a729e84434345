/** The form of a camera's settings, and the text of a plan. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planSentences } from '../../../web/plan-sentences';
import { draftOf, EMPTY, settingsOf } from '../../../web/settings-form';

describe('the form of a camera', () => {
  it('gives back the settings it was given, without the id', () => {
    for (const settings of [
      { url: 'rtsp://h/a?…', rate: 0.5, tls: { verify: true }, enabled: false },
      { still: 'http://h/', width: 320 },
      { test: 'testsrc2' },
      { file: 'a.mp4', rate: 2 },
    ])
      assert.deepEqual(settingsOf(draftOf({ id: 'gate', ...settings })), settings);
  });

  it('omits empty settings, and sends a rate that is not a number as it was typed', () => {
    const draft = { ...EMPTY, address: ' rtsp://h/ ', rate: ' ' };
    assert.deepEqual(settingsOf(draft), { url: 'rtsp://h/' });
    assert.deepEqual(settingsOf({ ...draft, rate: 'fast', password: 'p' }), {
      url: 'rtsp://h/',
      rate: 'fast',
      password: 'p',
    });
  });

  it('reports what it cannot send', () => {
    assert.throws(() => settingsOf(EMPTY), /^Error: Enter where the pictures come from\.$/);
    for (const others of ['{', '[]', '1', 'null'])
      assert.throws(() => settingsOf({ ...EMPTY, address: 'x', others }), /^Error: Other settings /, others);
  });
});

describe('a plan', () => {
  it('is shown in sentences', () => {
    const plan = {
      start: ['camera:new'],
      stop: ['camera:old'],
      restart: [{ name: 'store', because: ['redisUrl'] }],
      adjust: [{ name: 'camera:gate', because: ['periodMs', 'quality'] }],
      leave: ['store', 'camera:a'],
    };
    assert.deepEqual(planSentences(plan), [
      'Camera new starts.',
      'Camera old stops.',
      'Vigil’s store restarts: redisUrl.',
      'Camera gate goes on with another rate, quality.',
      '1 other camera is not touched.',
    ]);
    const nothing = { start: [], stop: [], restart: [], adjust: [], leave: ['web'] };
    assert.deepEqual(planSentences(nothing), ['Nothing that runs is changed.']);
  });
});
