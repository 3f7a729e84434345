/** Cameras added, edited and removed in the page, in a real browser with a simulated installation. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { graveFindings } from '../../lab/axe';
import { startBrowser } from '../../lab/browser';
import { PageServer } from '../../lab/page/server';
import { close, COLOURS, DESKTOP, focused, openPage, PHONE, tilesAre } from '../../lab/page/viewing';
import { waitUntil } from '../../lab/process';

describe('the cameras', () => {
  let browser: Browser;
  let own: PageServer;
  before(async () => {
    browser = await startBrowser();
    own = await PageServer.start({ cameras: 12 });
  });
  after(async () => {
    await browser.close();
    await own.stop();
  });

  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE }))
    test(`are added and removed by keyboard, ${size}, without a serious finding of axe-core in any step`, async () => {
      const page = await openPage(browser, own.url, { viewport });
      await tilesAre(page, own.world.cameras.size);
      const id = `new-${size}`;
      const check = async (step: string) => {
        for (const colorScheme of COLOURS) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await graveFindings(page), [], `${step}, ${colorScheme}`);
        }
        const [inner = 0, wide = 0] = await page.evaluate<number[]>(
          `[document.querySelector('dialog').clientWidth, document.querySelector('dialog').scrollWidth]`,
        );
        assert.ok(wide <= inner, `${step}: ${wide} of ${inner} pixels`);
      };
      const add = page.getByRole('button', { name: 'Add camera' });
      await add.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog', { name: 'Add a camera' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await waitUntil('the button has the focus', async () => (await focused(page)) === 'Add camera');
      await page.keyboard.press('Enter');
      await page.getByLabel('Name', { exact: true }).focus();
      await page.keyboard.type(id);
      await page.getByLabel('URL').focus();
      await page.keyboard.type('rtsp://192.168.1.20/stream');
      await check('form');
      await page.keyboard.press('Enter');
      await page.getByText(`Camera ${id} starts.`).waitFor();
      await check('plan');
      await waitUntil('the button has the focus', async () => (await focused(page)) === 'Add camera');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: id, exact: true }).waitFor();
      await page.getByRole('button', { name: 'Remove' }).press('Enter');
      await page.getByText(`Camera ${id} stops.`).waitFor();
      await check('removal');
      await page.getByRole('button', { name: 'Remove camera' }).press('Enter');
      await page.getByRole('heading', { name: id, exact: true }).waitFor({ state: 'detached' });
      assert.ok(!own.world.cameras.has(id));
      await close(page);
    });

  test('are added in a form that can be reopened immediately after it was closed', async () => {
    const page = await openPage(browser, own.url);
    const add = page.getByRole('button', { name: 'Add camera' });
    await add.click();
    await page.getByRole('dialog', { name: 'Add a camera' }).waitFor();
    // Before the browser reports that it is closed.
    await page.evaluate(`(async () => {
      document.querySelector('dialog [aria-label=Close]').click();
      for (let i = 0; i < 20; i++) await undefined;
      [...document.querySelectorAll('button')].find((button) => button.textContent.includes('Add camera')).click();
      await new Promise((resolve) => setTimeout(resolve, 100));
    })()`);
    await page.getByLabel('Name', { exact: true }).fill('new', { timeout: 5000 });
    await close(page);
  });

  test('that another user has edited are edited on top of those changes, and no entry is lost', async () => {
    const page = await openPage(browser, `${own.url}#/camera/gate-north-1`);
    await page.getByRole('button', { name: 'Edit' }).click();
    const rate = page.getByLabel('Pictures per second');
    await rate.fill('3');
    await page.getByLabel('Other settings, as JSON').fill('{ "rtae": 1 }');
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByText('rtae: unknown key; did you mean "rate"?').waitFor();
    await page.getByLabel('Other settings, as JSON').fill('');
    own.edits.version++;
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByText(/Your entries are still here; nothing was applied\./).waitFor();
    await page.getByRole('button', { name: 'Go on with the newest configuration' }).click();
    await page.getByText(/Your entries are still here/).waitFor({ state: 'detached' });
    assert.equal(await rate.inputValue(), '3');
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Settings applied.').waitFor();
    await close(page);
  });
});
