/** The page's connection to Vigil: lost, refused, behind a token, and to a daemon without cameras. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { graveFindings } from '../../lab/axe';
import { PageServer } from '../../lab/page/server';
import { close, COLOURS, DATE_TIME, MOMENT, tile, tileIds, tilesAre } from '../../lab/page/viewing';
import { Visitor } from '../../lab/page/visitor';
import { World } from '../../lab/page/world';

let visitor: Visitor;

before(async () => (visitor = await Visitor.start()));
after(() => visitor.leave());

describe('the connection', () => {
  test('is reported when it is lost, with the time of the shown data; pictures age; it is restored automatically', async () => {
    const own = await PageServer.start({ cameras: 4 });
    const page = await visitor.open(own.url);
    await tilesAre(page, 4);
    await page.locator('.age').first().waitFor();
    const [id = ''] = await tileIds(page);
    assert.match(await tile(page, id).innerText(), /\sfor \d/);
    const port = await own.pause();
    await page.getByText('No connection to Vigil.').first().waitFor();
    assert.match(await tile(page, id).innerText(), new RegExp(String.raw`\sat ${MOMENT}`));
    const notice = page.getByText(
      new RegExp(`^No connection to Vigil since ${MOMENT}, showing the state of ${MOMENT}\\.`),
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

  test('is reported with the date if it was lost on another day', async () => {
    const own = await PageServer.start({ cameras: 4 });
    const page = await visitor.open(own.url);
    await tilesAre(page, 4);
    await page.locator('.age').first().waitFor();
    const [id = ''] = await tileIds(page);
    await page.clock.install();
    await own.pause();
    await page.getByText(/^No connection to Vigil since/).waitFor();
    await page.clock.fastForward('30:00:00');
    await page
      .getByText(
        new RegExp(`^No connection to Vigil since ${DATE_TIME}, showing the state of ${DATE_TIME}\\.`),
      )
      .waitFor();
    assert.match(await tile(page, id).innerText(), new RegExp(`at ${DATE_TIME}`));
    await close(page);
    await own.stop();
  });

  test('is reported with the reason if Vigil refuses it', async () => {
    const own = await PageServer.start({ cameras: 4 });
    own.maxStreams = 0;
    const page = await visitor.open(own.url);
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
    const page = await visitor.open(`${own.url}?sort=name`);
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
    const page = await visitor.open(own.url);
    await page.getByRole('heading', { name: 'No cameras yet' }).waitFor();
    await page.getByText('actors.json').first().waitFor();
    assert.deepEqual(await graveFindings(page), []);
    await close(page);
    await own.stop();
  });
});
