/** "notify" of actors.json: conditions, secrets, URLs and filters, and the sentences about what is wrong with them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCondition } from '../../../src/config/notice-conditions';
import { faultsOf, GATE, SECRET, topologyOf } from './parsing';

const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const HOOK = { webhook: 'https://alerts.example.org/x', secret: KEY, when: ['offline > 60s'] };
const config = (entry: object) => ({
  notify: [{ ...HOOK, ...entry }],
  cameras: [{ ...GATE, tags: ['north'] }],
});

describe('a condition of a notice', () => {
  const rows: readonly [string, object][] = [
    ['offline > 60s', { kind: 'offline', overMs: 60_000, text: 'offline > 60s' }],
    ['  offline>5m ', { kind: 'offline', overMs: 300_000, text: 'offline > 5m' }],
    ['offline > 1 h', { kind: 'offline', overMs: 3_600_000, text: 'offline > 1h' }],
    ['offline > 10s', { kind: 'offline', overMs: 10_000, text: 'offline > 10s' }],
    ['offline > 7d', { kind: 'offline', overMs: 604_800_000, text: 'offline > 7d' }],
    ['quarantined', { kind: 'quarantined', text: 'quarantined' }],
    ['spool > 80%', { kind: 'spool', overShare: 0.8, text: 'spool > 80%' }],
    ['spool>1 %', { kind: 'spool', overShare: 0.01, text: 'spool > 1%' }],
    ['recovered', { kind: 'recovered', text: 'recovered' }],
  ];
  for (const [written, meant] of rows)
    it(`may be ${JSON.stringify(written)}`, () => assert.deepEqual(parseCondition(written), meant));

  const wrong: readonly [string, RegExp][] = [
    ['', /^expected "offline > 60s", "quarantined", "spool > 80%" or "recovered"$/],
    ['ofline > 60s', /^expected "offline > 60s"/],
    ['Offline > 60s', /^expected "offline > 60s"/],
    ['offline < 60s', /^expected "offline > 60s"/],
    ['offline', /^expected a time after "offline >"/],
    ['offline > 60', /^expected a time after "offline >"/],
    ['offline > 60ms', /^expected a time after/],
    ['offline > -60s', /^expected a time after/],
    ['offline > 1.5m', /^expected a time after/],
    ['offline > 0s', /^expected a time from 10s to 7d after "offline >"$/],
    ['offline > 9s', /^expected a time from 10s to 7d/],
    ['offline > 8d', /^expected a time from 10s to 7d/],
    ['offline > 80%', /^expected a time after/],
    ['spool', /^expected a whole number from 1% to 99%/],
    ['spool > 80', /^expected a whole number/],
    ['spool > 0%', /^expected a whole number/],
    ['spool > 100%', /^expected a whole number/],
    ['spool > 80.5%', /^expected a whole number/],
    ['spool > 60s', /^expected a whole number/],
    ['recovered > 60s', /^has no bound; write "recovered" alone$/],
    ['quarantined > 1', /^has no bound/],
  ];
  for (const [written, problem] of wrong)
    it(`is refused as ${JSON.stringify(written)}`, () => {
      const [fault, ...others] = faultsOf(config({ when: [written, 'quarantined'] }));
      assert.deepEqual([fault?.path, others], ['$.notify[0].when[0]', []]);
      assert.match(fault?.problem ?? '', problem);
    });
});

describe('a webhook', () => {
  it('is complete with a URL, a secret and a condition', () => {
    const { notify } = topologyOf(config({ tags: ['north'], cameras: ['gate'] }));
    const when = [{ kind: 'offline', overMs: 60_000, text: 'offline > 60s' }];
    assert.deepEqual(notify, [{ url: HOOK.webhook, secret: KEY, when, tags: ['north'], cameras: ['gate'] }]);
    assert.deepEqual(topologyOf({ cameras: [] }).notify, []);
  });

  const wrong: readonly [string, object, string, RegExp][] = [
    ['without a secret', { secret: undefined }, 'secret', /^is required$/],
    ['without a URL', { webhook: undefined }, 'webhook', /^is required$/],
    ['without conditions', { when: undefined }, 'when', /^is required$/],
    ['with an empty list of conditions', { when: [] }, 'when', /^expected at least one entry, found none$/],
    ['with nothing to recover from', { when: ['recovered'] }, 'when', /^has only "recovered"; add/],
    ['with a condition twice', { when: ['spool > 8%', 'spool>8%'] }, 'when[1]', /^repeats "spool > 8%"/],
    ['with a text for conditions', { when: 'quarantined' }, 'when', /^expected array/],
    ['with a secret of another form', { secret: SECRET }, 'secret', /not shown.*openssl rand/],
    [
      'with a short secret',
      { secret: 'whsec_czNjcjN0' },
      'secret',
      /^expected 24 to 64 bytes .* found 6; make/,
    ],
    ['with a long secret', { secret: `whsec_${'A'.repeat(90)}` }, 'secret', /found 67; make/],
    [
      'of another scheme',
      { webhook: 'ftp://h/' },
      'webhook',
      /begins with https:\/\/, http:\/\/, found ftp:/,
    ],
    ['with a blank in its URL', { webhook: 'https://h/a b' }, 'webhook', /blank/],
    [
      'for a camera that is not there',
      { cameras: ['gate', 'gat'] },
      'cameras[1]',
      /^"gat" is not the id of a camera/,
    ],
    ['for a tag that no camera has', { tags: ['nroth'] }, 'tags[0]', /^no camera has the tag "nroth"/],
    ['with an unknown key', { url: 'https://h/' }, 'url', /unknown key/],
  ];
  for (const [what, entry, key, problem] of wrong)
    it(`is refused ${what}`, () => {
      const faults = faultsOf(config(entry));
      assert.deepEqual(
        faults.map(({ path }) => path),
        [`$.notify[0].${key}`],
      );
      assert.match(faults[0]?.problem ?? '', problem);
      assert.doesNotMatch(JSON.stringify(faults), /s3cr3t|czNjcjN0|AAAA/);
    });
});
