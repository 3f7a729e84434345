/** The page in a real browser, served by a real daemon: cameras and a daemon that go and return, a token. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { graveFindings } from '../../lab/axe';
import { startBrowser } from '../../lab/browser';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { newNamespace, remoteServers } from '../../lab/events';
import { startHttpCamera, type HttpCamera } from '../../lab/feeds/http-camera';
import { freePort } from '../../lab/free-port';
import { openPage, pictureChanges, tile, tilesAre } from '../../lab/page/viewing';
import { scene } from '../../lab/page/scenes';
import { signalProcess, waitUntil } from '../../lab/process';

const TOKEN = 'T0ken-0f-th1s-test';
const CANARY = 'C4n4ry-0f-th1s-test';

describe('the page of a daemon', { concurrency: false }, () => {
  let [browser, camera, daemon, page] = [] as unknown as [Browser, HttpCamera, Daemon, Page];
  let config: Record<string, unknown>;
  let url = '';
  let isAway = false;
  const complaints: string[] = [];

  before(async () => {
    camera = await startHttpCamera((_, response, number) => {
      if (isAway) response.writeHead(503).end();
      else
        void scene('yard', number, 320).then((bytes) =>
          response.setHeader('content-type', 'image/jpeg').end(bytes),
        );
    });
    const port = await freePort(60_000);
    url = `http://127.0.0.1:${port}/`;
    config = {
      ...{ namespace: newNamespace(), ...remoteServers(), http: { port } },
      actors: { camera: { probeMs: 60_000 } },
      cameras: [
        { id: 'still', still: camera.url('/jpg') },
        { id: 'fragile', test: 'testsrc2', width: 160, actor: { maxRestarts: 0, backOffFirstMs: 1 } },
        { id: 'off', test: 'testsrc2', enabled: false },
      ],
    };
    daemon = startDaemon({ config });
    await daemon.said(/^ready/);
    await waitUntil('the page is served', () =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    browser = await startBrowser();
    page = await openPage(browser, url);
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text());
    });
    await page.reload();
  });

  after(async () => {
    await browser.close();
    await daemon.stop();
    await camera.stop();
  });

  const says = (id: string, text: string | RegExp) =>
    tile(page, id).getByText(text, { exact: true }).waitFor();

  test('shows changing pictures, disabled cameras, and the ledger so far', async () => {
    await tilesAre(page, 3);
    for (const id of ['still', 'fragile']) {
      await says(id, 'Delivering');
      await pictureChanges(page, id);
    }
    assert.equal(await tile(page, 'off').getByText('Disabled').first().isVisible(), true);
    await page.getByRole('button', { name: '2 Delivering' }).waitFor();
    await page.reload();
    await tile(page, 'still').getByRole('slider', { name: 'Coverage of still, last hour' }).waitFor();
    assert.deepEqual(await graveFindings(page), []);
  });

  test('says that a camera is offline and why, and later that it is back', async () => {
    isAway = true;
    await says('still', 'Offline');
    await tile(page, 'still')
      .getByText(/^(\d+ s old|No picture for \d+ s)$/)
      .waitFor();
    await tile(page, 'still').getByText(/503/).waitFor();
    assert.equal(
      await tile(page, 'still')
        .getByText(/s ago$/)
        .count(),
      0,
    );
    isAway = false;
    await says('still', 'Delivering');
    await pictureChanges(page, 'still');
  });

  test('says that a camera is quarantined', async () => {
    const { pid } = await daemon.childIs('camera:fragile', 'runs', ({ state }) => state === 'running');
    signalProcess(pid, 'SIGKILL');
    await says('fragile', 'Quarantined');
    await tile(page, 'fragile').getByRole('link').click();
    await page.getByRole('region', { name: 'State' }).getByText('Quarantined').waitFor();
    await page
      .getByRole('region', { name: 'State' })
      .getByText(/^Its process /)
      .waitFor();
    await page.getByRole('slider', { name: 'Coverage of fragile, last 24 hours' }).waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await page.getByRole('link', { name: 'All cameras' }).click();
    await tilesAre(page, 3);
  });

  test('ends the quarantine of a camera that is restarted', async () => {
    await tile(page, 'fragile').getByRole('link').click();
    await page.getByRole('button', { name: 'Restart' }).click();
    await page.getByRole('region', { name: 'State' }).getByText('Delivering').waitFor();
    const { restarts } = await daemon.childIs('camera:fragile', 'runs', ({ state }) => state === 'running');
    assert.equal(restarts, 0);
    await page.getByRole('link', { name: 'All cameras' }).click();
    await tilesAre(page, 3);
  });

  test('adds a camera once its plan has been seen, edits, disables and removes it, in actors.json', async () => {
    const file = path.join(daemon.dir, 'actors.json');
    const cameras = () => (JSON.parse(readFileSync(file, 'utf8')) as { cameras: { id: string }[] }).cameras;
    const stored = () => cameras().find(({ id }) => id === 'new');
    await page.getByRole('button', { name: 'Add camera' }).click();
    await page.getByLabel('Name', { exact: true }).fill('new');
    await page.getByLabel('URL').fill('file:///etc/passwd');
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByText(/^url: expected a URL that begins with rtsp:/).waitFor();
    await page.getByLabel('URL').fill(camera.url('/jpg'));
    await page.getByLabel('Pictures come from').selectOption('still');
    await page.getByLabel('Password').fill(CANARY);
    await page.getByLabel('User name').fill('viewer');
    await page.getByRole('button', { name: 'Probe the feed' }).click();
    await page.getByAltText('First picture of the feed').waitFor();
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByText('Camera new starts.').waitFor();
    assert.equal(stored(), undefined);
    await page.getByRole('dialog').getByRole('button', { name: 'Add camera' }).click();
    const state = page.getByRole('region', { name: 'State' });
    await state.getByText('Delivering').waitFor();
    assert.deepEqual(stored(), {
      id: 'new',
      still: camera.url('/jpg'),
      username: 'viewer',
      password: CANARY,
    });

    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Pictures per second').fill('2');
    // Another writer was faster.
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n`);
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByRole('button', { name: 'Go on with the newest configuration' }).click();
    await page.getByText(/has changed the configuration meanwhile/).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByText('Camera new goes on with another rate.').waitFor();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Settings applied.').waitFor();
    assert.deepEqual(stored(), { ...stored(), rate: 2, password: CANARY });
    assert.ok(!(await page.content()).includes(CANARY));

    const manage = page.getByRole('region', { name: 'Manage' });
    await manage.getByRole('button', { name: 'Disable' }).click();
    await state.getByText('Disabled').waitFor();
    await manage.getByRole('button', { name: 'Enable' }).click();
    await state.getByText('Delivering').waitFor();
    await manage.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Camera new stops.').waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await page.getByRole('button', { name: 'Remove camera' }).click();
    await tilesAre(page, 3);
    assert.equal(stored(), undefined);
    assert.ok(!daemon.output().includes(CANARY));
  });

  test('says that the daemon is away, and reconnects automatically after its restart', async () => {
    const { dir } = daemon;
    await pictureChanges(page, 'still');
    daemon.signal('SIGTERM');
    assert.equal(await daemon.exited, 0);
    await page.getByText(/^No connection to Vigil since .*, showing the state of /).waitFor();
    await tile(page, 'still')
      .getByText(/^\d+ s old$/)
      .waitFor();
    daemon = startDaemon({ config, dir });
    await page.getByText(/^Vigil has restarted\. Connected again since /).waitFor({ timeout: 60_000 });
    await says('still', 'Delivering');
    await pictureChanges(page, 'still');
  });

  test('asks for the token once there is one', async () => {
    const { http, ...others } = config;
    daemon.edit({ ...others, http: { ...(http as object), token: TOKEN } });
    await page.getByRole('heading', { name: 'Sign in to Vigil' }).waitFor({ timeout: 60_000 });
    await page.getByLabel('Token').fill('something else');
    await page.keyboard.press('Enter');
    await page.getByText('This is not the token.').waitFor();
    await page.getByLabel('Token').fill(TOKEN);
    await page.keyboard.press('Enter');
    await tilesAre(page, 3);
    await pictureChanges(page, 'still');
    assert.ok(!(await page.content()).includes(TOKEN));
    const stranger = await openPage(browser, url);
    await stranger.getByLabel('Token').waitFor();
    assert.equal(await stranger.locator('[data-camera]').count(), 0);
    assert.deepEqual(await graveFindings(stranger), []);
    assert.match(
      await stranger.evaluate<string>(`getComputedStyle(document.querySelector('form')).borderRadius`),
      /^12px/,
    );
    await stranger.context().close();
  });

  test('violates no content security policy, and throws nothing', () => assert.deepEqual(complaints, []));
});
