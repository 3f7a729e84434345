/** The page in a real browser, before a simulated installation: what it shows, loads, and lets be done. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { graveFindings } from '../../lab/axe';
import { startBrowser } from '../../lab/browser';
import { PageServer } from '../../lab/page/server';
import {
  drawn,
  openPage,
  pictureChanges,
  tile,
  tileIds,
  tilesAre,
  type Looks,
  close,
  COLOURS,
  DESKTOP,
  focused,
  PHONE,
} from '../../lab/page/viewing';
import { World } from '../../lab/page/world';
import { waitUntil } from '../../lab/process';

let browser: Browser;
let server: PageServer;
/** What the browser complains of: a script or style that the policy refuses, an error that nobody catches. */
const complaints: string[] = [];
/** Hosts that were asked for anything. */
const hosts = new Set<string>();

before(async () => {
  browser = await startBrowser();
  server = await PageServer.start({ cameras: 200 });
});

after(async () => {
  await browser.close();
  await server.stop();
});

async function open(path = '', looks: Looks = {}, of: PageServer = server): Promise<Page> {
  const page = await openPage(browser, 'about:blank', looks);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith('blob:')) hosts.add(new URL(request.url()).origin);
  });
  await page.goto(`${of.url}${path}`);
  return page;
}

const idsOf = (condition: string) =>
  [...server.world.cameras.values()].filter((camera) => camera.condition === condition).map(({ id }) => id);
const someDelivering = () => idsOf('delivering').sort()[0] ?? '';

/** Tiles whose picture is at least partly in the window. */
const inView = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('[data-camera]')].filter((tile) => {
    const { top, bottom } = tile.querySelector('.picture').getBoundingClientRect();
    return top <= innerHeight && bottom >= 0;
  }).map((tile) => tile.dataset.camera)`);

const pictured = () =>
  new Set(server.requests.flatMap((path) => /\/api\/cameras\/(.+)\/latest\.jpg/.exec(path)?.[1] ?? []));

describe('the wall of 200 cameras', () => {
  test('loads pictures of the tiles in view, and of no other, also when it is scrolled', async () => {
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

  test('begins with what does not deliver, and counts it', async () => {
    const page = await open();
    await tilesAre(page, 200);
    const bad = ['offline', 'quarantined', 'waiting', 'starting'].flatMap((condition) => idsOf(condition));
    assert.deepEqual((await tileIds(page)).slice(0, bad.length).sort(), bad.sort());
    for (const condition of ['offline', 'quarantined', 'delivering']) {
      const button = page.getByRole('button', {
        name: new RegExp(`^${idsOf(condition).length} ${condition}$`, 'i'),
      });
      assert.equal(await button.count(), 1, condition);
    }
    const [quarantined = ''] = idsOf('quarantined');
    assert.match(await tile(page, quarantined).innerText(), /Quarantined\s+(for \d+ min|since \d\d:\d\d)/);
    assert.match(await tile(page, quarantined).innerText(), /Its process ended 5 times/);
    await close(page);
  });

  test('keeps filter, tags, search and order in the address', async () => {
    const page = await open();
    await tilesAre(page, 200);
    await page.getByRole('button', { name: /Offline$/ }).click();
    await tilesAre(page, idsOf('offline').length);
    await page.getByRole('button', { name: /Quarantined$/ }).click();
    const both = [...idsOf('offline'), ...idsOf('quarantined')];
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

  test('shows a picture that changes', async () => {
    const id = someDelivering();
    const page = await open(`?q=${id}`);
    await pictureChanges(page, id);
    await close(page);
  });

  test('never shows an old picture as if it were the present, says why, and goes on when the camera is back', async () => {
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

  test('is used by keyboard alone', async () => {
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

  test('tells why frames are missing, under the pointer and by arrow keys', async () => {
    const [id = ''] = idsOf('offline');
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
    await waitUntil('the newest gap is told', async () => /missed/.test(await spoken()));
    await page.keyboard.press('Home');
    await waitUntil('the beginning of the hour is told', async () =>
      /every frame was delivered|missed/.test(await spoken()),
    );
    const first = await spoken();
    await page.keyboard.press('ArrowRight');
    await waitUntil('the next stretch is told', async () => (await spoken()) !== first);
    assert.equal(await tip.textContent(), await spoken());
    await close(page);
  });
});

describe('a camera by itself', () => {
  test('says how it stands, since when, why and what to do, and shows 24 hours of its ledger', async () => {
    const [id = ''] = idsOf('offline');
    const page = await open(`#/camera/${id}`);
    const state = page.getByRole('region', { name: 'State' });
    await state.getByText('Offline', { exact: true }).waitFor();
    const text = await state.innerText();
    assert.match(text, /for \d+ .*, since (.*, )?\d\d:\d\d:\d\d/);
    assert.ok(
      text.toLowerCase().includes((server.world.cameras.get(id)?.fault?.message ?? '-').toLowerCase()),
      text,
    );
    const facts = await page.getByRole('region', { name: 'Facts' }).innerText();
    for (const fact of ['Rate', 'Codec', 'Sampling', 'Keyframe interval', 'Camera clock', 'Restarts'])
      assert.ok(facts.includes(fact), `${fact} is told: ${facts}`);
    await page.getByRole('slider', { name: `Coverage of ${id}, last 24 hours` }).waitFor();
    assert.ok((await page.getByRole('table').getByRole('row').count()) > 1);
    await page.getByRole('link', { name: /^Next camera/ }).click();
    await waitUntil(
      'the next camera is shown',
      async () => (await page.getByRole('heading', { level: 2 }).innerText()) !== id,
    );
    await close(page);
  });

  test('that there is not is said to be missing', async () => {
    const page = await open('#/camera/nobody');
    await page.getByText('There is no camera nobody in Vigil’s configuration.').waitFor();
    await close(page);
  });
});

describe('the connection', () => {
  test('that is lost is said to be, with the time of what is shown; pictures grow old; it comes back by itself', async () => {
    const own = await PageServer.start({ cameras: 4 });
    const page = await open('', {}, own);
    await tilesAre(page, 4);
    await page.locator('.age').first().waitFor();
    const port = await own.pause();
    await page.getByText('No connection to Vigil.').first().waitFor();
    assert.doesNotMatch(await tile(page, 'gate-north').innerText(), /Delivering\s+for/);
    const notice = page.getByText(
      /^No connection to Vigil since \d\d:\d\d:\d\d, showing the state of \d\d:\d\d:\d\d\./,
    );
    await notice.waitFor();
    await page
      .getByText(/^\d+ s old$/)
      .first()
      .waitFor();
    await own.listen(port);
    await page.getByText(/^Connected again since/).waitFor();
    await page.locator('.age').first().waitFor();

    await own.pause();
    await notice.waitFor();
    own.world = new World(3, Date.now());
    await own.listen(port);
    await page.getByText(/^Vigil has restarted\. Connected again since/).waitFor();
    await tilesAre(page, 3);
    await close(page);
    await own.stop();
  });

  test('that Vigil refuses is told with its reason', async () => {
    const own = await PageServer.start({ cameras: 4 });
    own.maxStreams = 0;
    const page = await open('', {}, own);
    await page
      .getByText(/^No connection to Vigil since .* 0 event streams are open already; close one/)
      .waitFor();
    own.maxStreams = 1;
    await tilesAre(page, 4);
    await close(page);
    await own.stop();
  });

  test('needs the token where there is one: a wrong one is refused, the right one shows the wall', async () => {
    const own = await PageServer.start({ cameras: 4, token: 'a long secret' });
    const page = await open('?sort=name', {}, own);
    await page.getByRole('heading', { name: 'Sign in to Vigil' }).waitFor();
    await page.getByLabel('Token').fill('a short secret');
    await page.keyboard.press('Enter');
    await page.getByText('This is not the token.').waitFor();
    for (const colorScheme of COLOURS) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await graveFindings(page), [], `sign-in, ${colorScheme}`);
    }
    await page.getByLabel('Token').fill('a long secret');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await tilesAre(page, 4);
    assert.equal(new URL(page.url()).search, '?sort=name');
    await close(page);
    await own.stop();
  });

  test('to a daemon without cameras shows how to add one', async () => {
    const own = await PageServer.start({ cameras: 0 });
    const page = await open('', {}, own);
    await page.getByRole('heading', { name: 'No cameras yet' }).waitFor();
    await page.getByText('actors.json').first().waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await close(page);
    await own.stop();
  });
});

describe('every view', () => {
  const [camera, narrowed] = ['#/camera/gate-north-1', '?state=offline&q=nothing'];
  let few: PageServer;
  before(async () => (few = await PageServer.start({ cameras: 12 })));
  after(() => few.stop());

  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE }))
    test(`has no serious or critical finding of axe-core and fits the width, ${size}, light and dark`, async () => {
      const page = await open('', { viewport }, few);
      for (const path of ['', camera, narrowed, '?size=small']) {
        await page.goto(`${few.url}${path}`);
        await page.locator('.strip svg, .empty-state').first().waitFor();
        for (const colorScheme of COLOURS) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await graveFindings(page), [], `${path}, ${colorScheme}`);
        }
        const [inner, wide] = await page.evaluate<number[]>(
          '[innerWidth, document.documentElement.scrollWidth]',
        );
        assert.ok((wide ?? 0) <= (inner ?? 0), `${path}: ${String(wide)} of ${String(inner)} pixels`);
      }
      await close(page);
    });

  test('takes the colours that are chosen, whatever those of the system', async () => {
    const page = await open('', { colorScheme: 'light' });
    const ground = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
    const light = await ground();
    const button = page.getByRole('button', { name: /^Colours:/ });
    await button.click();
    assert.equal(await ground(), light);
    await button.click();
    assert.notEqual(await ground(), light);
    await page.reload();
    await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
    assert.notEqual(await ground(), light);
    await close(page);
  });

  test('asks no other host for anything, and keeps to the policy', () => {
    assert.ok(
      [...hosts].every((host) => host.startsWith('http://127.0.0.1:')),
      [...hosts].join(),
    );
    assert.deepEqual(complaints, []);
  });
});
