/** Crash reports and consumers on the page, in a real browser with a simulated installation. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { graveFindings } from '../../lab/axe';
import { startBrowser } from '../../lab/browser';
import { PageServer } from '../../lab/page/server';
import { close, COLOURS, DESKTOP, MOMENT, openPage, PHONE, tilesAre } from '../../lab/page/viewing';

describe('the page', () => {
  let browser: Browser;
  let own: PageServer;
  let crashed = '';
  before(async () => {
    browser = await startBrowser();
    own = await PageServer.start({ cameras: 200 });
    crashed = [...own.world.cameras.values()].find(({ restarts }) => restarts > 0)?.id ?? '';
  });
  after(async () => {
    await browser.close();
    await own.stop();
  });

  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE }))
    test(`shows when and why a camera’s process ended, and its last output by keyboard, ${size}`, async () => {
      const page = await openPage(browser, `${own.url}#/camera/${crashed}`, { viewport });
      const reports = page.getByRole('region', { name: 'Crash reports' });
      await reports.waitFor();
      assert.equal(await reports.getByRole('listitem').count(), own.world.crashes(crashed).length);
      const newest = reports.getByRole('listitem').first();
      assert.match(
        await newest.innerText(),
        new RegExp(String.raw`^Ended with code 1: .*keyframe\.?\s+${MOMENT}, after 4 s`),
      );
      const output = newest.getByText('at Decoder.decode');
      assert.equal(await output.isVisible(), false);
      await newest.locator('summary').press('Enter');
      await output.waitFor();
      assert.match(await newest.locator('pre').innerText(), /^ffmpeg: \[h264 @/);
      for (const colorScheme of COLOURS) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await graveFindings(page), [], colorScheme);
      }
      await close(page);
    });

  test('shows no crash reports of a camera that has none', async () => {
    const sound = [...own.world.cameras.values()].find(({ restarts }) => restarts === 0)?.id ?? '';
    const page = await openPage(browser, `${own.url}#/camera/${sound}`);
    await page.getByRole('region', { name: 'Facts' }).waitFor();
    assert.equal(await page.getByRole('region', { name: 'Crash reports' }).count(), 0);
    await close(page);
  });

  test('names the consumers of the queue and how many messages wait, and says when there are none', async () => {
    const page = await openPage(browser, own.url);
    await tilesAre(page, 200);
    const consumers = page.locator('.servers > div').filter({ hasText: 'Consumers' });
    assert.match(await consumers.innerText(), /^Consumers\s+2, 12 queued$/);
    assert.equal(await consumers.getAttribute('class'), 'good');
    own.world.queue = { ...own.world.queue, consumers: 0, messages: 1234 };
    own.send('state', own.world.state());
    await consumers.getByText('none, 1,234 queued').waitFor();
    assert.equal(await consumers.getAttribute('class'), 'bad');
    assert.match(
      (await consumers.getAttribute('title')) ?? '',
      /^Nobody consumes the queue vigil\.detection\.$/,
    );
    own.world.queue = { name: 'vigil.detection', messages: 100_000, limit: 100_000, consumers: 1 };
    own.send('state', own.world.state());
    await consumers.getByText('1, queue full').waitFor();
    await close(page);
  });
});
