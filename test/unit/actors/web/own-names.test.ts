/** Names accepted by a server that listens for more than its own machine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OwnNames } from '../../../../src/actors/web/http/own-names';
import { Sessions } from '../../../../src/actors/web/http/sessions';
import { urlOf } from '../../../../src/actors/web/http/listen';

describe('the names of a server that others can reach', () => {
  const names = new OwnNames('0.0.0.0', ['cams.example.org'], () => ['nvr', '10.0.0.7', 'fd00::7']);
  for (const own of [
    '10.0.0.7:8080',
    'nvr',
    'NVR:80',
    '[fd00::7]:8080',
    '[FD00::7]',
    'localhost:8080',
    'cams.example.org',
    '127.0.0.1',
  ])
    it(`has ${own}`, () => assert.ok(names.isOwn(own)));
  for (const other of [
    '10.0.0.8',
    'nvr.evil.example',
    '[fd00::8]',
    'fd00::7',
    'nvr:80:80',
    'nvr/',
    'nvr evil',
    '[nvr]',
    'nvr:',
    undefined,
    '',
    '.',
    'cams.example.org.evil',
  ])
    it(`does not have ${String(other)}`, () => assert.ok(!names.isOwn(other)));
});

describe('a sign-in', () => {
  it('is good for a week, and for its token only', () => {
    let nowMs = 1_700_000_000_000;
    const sessions = new Sessions('the token', () => nowMs);
    const [cookie = ''] = sessions.cookie(true).split(';');
    assert.match(sessions.cookie(true), /; Secure$/);
    assert.ok(sessions.letsIn({ cookie }));
    assert.ok(sessions.letsIn({ cookie: `theme=dark; ${cookie}; other=1` }));
    assert.ok(!new Sessions('another token', () => nowMs).letsIn({ cookie }));
    nowMs += 7 * 86_400_000;
    assert.ok(!sessions.letsIn({ cookie }));
  });

  it('is not needed without a token, and cannot be created', () => {
    const sessions = new Sessions(undefined);
    assert.ok(sessions.letsIn({}));
    assert.ok(!sessions.isToken('') && !sessions.isToken('undefined'));
  });
});

describe('the address of the page', () => {
  const rows = [
    ['127.0.0.1', 'http://127.0.0.1:8080/'],
    ['0.0.0.0', 'http://127.0.0.1:8080/'],
    ['::', 'http://[::1]:8080/'],
    ['cams', 'http://cams:8080/'],
  ] as const;
  for (const [host, url] of rows)
    it(`is ${url} for ${host}`, () => assert.equal(urlOf(host, 8080, false), url));
});
