/** The wall of cameras in a real browser, with a simulated installation: what it shows, loads and offers. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { PageServer } from '../../lab/page/server';
import {
  close,
  DATE_TIME,
  drawn,
  focused,
  pictureChanges,
  tile,
  tileIds,
  tilesAre,
} from '../../lab/page/viewing';
import { Visitor } from '../../lab/page/visitor';
import { waitUntil } from '../../lab/process';

let visitor: Visitor;
let server: PageServer;

before(async () => {
  visitor = await Visitor.start();
  server = await PageServer.start({ cameras: 200 });
});

after(async () => {
  await visitor.leave();
  await server.stop();
});

const open = async (path = '') => visitor.open(`${server.url}${path}`);

const someDelivering = () => server.world.idsOf('delivering').sort()[0] ?? '';

/** Tiles whose picture is at least partly in the window. */
const inView = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('[data-camera]')].filter((tile) => {
    const { top, bottom } = tile.querySelector('.picture').getBoundingClientRect();
    return top <= innerHeight && bottom >= 0;
  }).map((tile) => tile.dataset.camera)`);

const pictured = () =>
  new Set(server.requests.flatMap((path) => /\/api\/cameras\/(.+)\/latest\.jpg/.exec(path)?.[1] ?? []));

describe('the wall of 200 cameras', () => {
  test('loads pictures of the tiles in view and of no other, even while it is scrolled', async () => {
    server.requests.length = 0;
    const page = await open();
    await tilesAre(page, 200);
    const delivering = (id: string) => server.world.cameras.get(id)?.condition === 'delivering';
    const shown = new Set(await inView(page));
    assert.ok(shown.size >= 8 && shown.size < 40, `${shown.size} tiles are in view`);
    const loadedAll = (ids: Iterable<string>) =>
      [...ids].filter(delivering).every((id) => pictured().has(id));
    await waitUntil('all pictures in view are loaded', () => loadedAll(shown));
    // Long enough for every camera to have announced pictures.
    const number = server.number;
    await waitUntil('two more pictures of each camera were announced', () => server.number >= number + 3);
    assert.deepEqual(
      [...pictured()].filter((id) => !shown.has(id)),
      [],
    );

    server.requests.length = 0;
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    const end = new Set(await inView(page));
    assert.ok([...end].every((id) => !shown.has(id)));
    await waitUntil('all pictures at the end are loaded', () => loadedAll(end));
    assert.deepEqual(
      [...pictured()].filter((id) => !end.has(id) && !shown.has(id)),
      [],
    );
    await close(page);
  });

  test('begins with the cameras that do not deliver, and counts them', async () => {
    const page = await open();
    await tilesAre(page, 200);
    const bad = (['offline', 'quarantined', 'waiting', 'starting'] as const).flatMap((condition) =>
      server.world.idsOf(condition),
    );
    assert.deepEqual((await tileIds(page)).slice(0, bad.length).sort(), bad.sort());
    for (const condition of ['offline', 'quarantined', 'delivering'] as const) {
      const button = page.getByRole('button', {
        name: new RegExp(`^${server.world.idsOf(condition).length} ${condition}$`, 'i'),
      });
      assert.equal(await button.count(), 1, condition);
    }
    const [quarantined = ''] = server.world.idsOf('quarantined');
    assert.match(
      await tile(page, quarantined).innerText(),
      new RegExp(String.raw`Quarantined\s+(for \d|since ${DATE_TIME})`),
    );
    assert.match(await tile(page, quarantined).innerText(), /Its process ended 5 times/);
    await close(page);
  });

  test('keeps filter, tags, search and order in the address', async () => {
    const page = await open();
    await tilesAre(page, 200);
    await page.getByRole('button', { name: /Offline$/ }).click();
    await tilesAre(page, server.world.idsOf('offline').length);
    await page.getByRole('button', { name: /Quarantined$/ }).click();
    const both = [...server.world.idsOf('offline'), ...server.world.idsOf('quarantined')];
    await tilesAre(page, both.length);
    await page.getByLabel('Sort').selectOption('name');
    await page.locator('summary').click();
    await page.getByRole('checkbox', { name: /^south/ }).check();
    const south = both.filter((id) => id.includes('south'));
    await tilesAre(page, south.length);
    assert.equal(new URL(page.url()).search, '?state=offline,quarantined&tag=south&sort=name');

    await page.reload();
    await tilesAre(page, south.length);
    assert.deepEqual(
      await tileIds(page),
      south.sort((a, b) => new Intl.Collator('en', { numeric: true }).compare(a, b)),
    );
    await page.getByRole('searchbox').fill('sent nothing');
    const silent = south.filter((id) => server.world.cameras.get(id)?.fault?.code === 'stalled');
    await tilesAre(page, silent.length);
    await page.getByRole('searchbox').fill('no such words');
    await page.getByRole('heading', { name: 'No camera matches' }).waitFor();
    await page.getByRole('button', { name: 'Show all cameras' }).click();
    await tilesAre(page, 200);
    await page.goBack();
    await page.getByRole('heading', { name: 'No camera matches' }).waitFor();
    await close(page);
  });

  test('shows changing pictures', async () => {
    const id = someDelivering();
    const page = await open(`?q=${id}`);
    await pictureChanges(page, id);
    await close(page);
  });

  test('never shows an old picture as current, says why, and continues when the camera is back', async () => {
    const id = someDelivering();
    const page = await open(`?q=${id}`);
    await waitUntil('a picture is drawn', async () => (await drawn(page, id)) !== '');
    assert.match(await tile(page, id).innerText(), /\d s ago/);
    server.setCondition(id, 'offline');
    await tile(page, id).getByText('Offline', { exact: true }).waitFor();
    await tile(page, id)
      .getByText(/^\d+ s old$/)
      .waitFor();
    assert.match(await tile(page, id).innerText(), /refuses connections; check the port/);
    assert.match((await tile(page, id).locator('img').getAttribute('class')) ?? '', /old/);
    assert.doesNotMatch(await tile(page, id).innerText(), /s ago/);
    await page.reload();
    await waitUntil('it says how old the picture is, or would be', async () =>
      /No picture for \d+ s|\d+ s old/.test(await tile(page, id).innerText()),
    );

    server.setCondition(id, 'delivering');
    await tile(page, id).getByText('Delivering', { exact: true }).waitFor();
    await tile(page, id)
      .getByText(/^\d s ago$/)
      .waitFor();
    await close(page);
  });

  test('can be used by keyboard alone', async () => {
    const page = await open();
    await tilesAre(page, 200);
    const order = await tileIds(page);
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Skip to the cameras');
    await page.keyboard.press('/');
    await page.keyboard.type('north');
    await waitUntil('only the north is shown', async () =>
      (await tileIds(page)).every((id) => id.includes('north')),
    );
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await tilesAre(page, 200);

    await tile(page, order[0] ?? '')
      .getByRole('link')
      .focus();
    await page.keyboard.press('ArrowRight');
    assert.equal(await focused(page), order[1]);
    await page.keyboard.press('ArrowDown');
    const below = await focused(page);
    assert.ok(order.indexOf(below) > 3, below);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: below, level: 2 }).waitFor();
    await waitUntil('the heading has the focus', async () => (await focused(page)) === below);
    await page.keyboard.press('Escape');
    await tilesAre(page, 200);
    assert.equal(await focused(page), below);
    await close(page);
  });

  test('shows why frames are missing, under the pointer and by arrow keys', async () => {
    const [id = ''] = server.world.idsOf('offline');
    const page = await open(`?q=${id}`);
    const strip = tile(page, id).getByRole('slider');
    await strip.waitFor();
    assert.match(
      (await strip.getAttribute('aria-valuetext')) ?? '',
      /^In the last hour: [\d.]+ % delivered, \d+ gap/,
    );
    const box = await strip.boundingBox();
    assert.ok(box !== null);
    await strip.hover({ position: { x: box.width - 2, y: box.height / 2 } });
    const tip = page.locator('.tip');
    const { message = '', code = '' } = server.world.cameras.get(id)?.fault ?? {};
    assert.match(
      (await tip.textContent()) ?? '',
      /^\d\d:\d\d to \d\d:\d\d: .*missed: the camera/,
      `${code}: ${message}`,
    );
    await page.mouse.move(0, 0);
    await tip.waitFor({ state: 'hidden' });

    await tile(page, id).getByRole('link').focus();
    await page.keyboard.press('Tab');
    const spoken = async () => (await strip.getAttribute('aria-valuetext')) ?? '';
    await waitUntil('the newest gap is described', async () => /missed/.test(await spoken()));
    await page.keyboard.press('Home');
    await waitUntil('the beginning of the hour is described', async () =>
      /every frame was delivered|missed/.test(await spoken()),
    );
    const first = await spoken();
    await page.keyboard.press('ArrowRight');
    await waitUntil('the next stretch is described', async () => (await spoken()) !== first);
    assert.equal(await tip.textContent(), await spoken());
    await close(page);
  });
});
