/** A single camera, and every view: accessibility, what they load, and what they look like. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { graveFindings } from '../../lab/axe';
import { PageServer } from '../../lab/page/server';
import { close, COLOURS, DESKTOP, MOMENT, PHONE } from '../../lab/page/viewing';
import { Visitor } from '../../lab/page/visitor';
import { waitUntil } from '../../lab/process';

let visitor: Visitor;
let server: PageServer;

before(async () => {
  visitor = await Visitor.start();
  server = await PageServer.start({ cameras: 12 });
});

after(async () => {
  await visitor.leave();
  await server.stop();
});

describe('a single camera', () => {
  test('shows its condition, since when, why and what to do, and 24 hours of its ledger', async () => {
    const [id = ''] = server.world.idsOf('offline');
    const page = await visitor.open(`${server.url}#/camera/${id}`);
    const state = page.getByRole('region', { name: 'State' });
    await state.getByText('Offline', { exact: true }).waitFor();
    const text = await state.innerText();
    assert.match(text, new RegExp(String.raw`for \d+ .*, since ${MOMENT}`));
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

  test('is reported as missing if it does not exist', async () => {
    const page = await visitor.open(`${server.url}#/camera/nobody`);
    await page.getByText('There is no camera nobody in Vigil’s configuration.').waitFor();
    await close(page);
  });
});

describe('every view', () => {
  const [camera, narrowed] = ['#/camera/gate-north-1', '?state=offline&q=nothing'];

  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE }))
    test(`has no serious or critical finding of axe-core and fits the width, ${size}, light and dark`, async () => {
      const page = await visitor.open(server.url, { viewport });
      for (const path of ['', camera, narrowed, '?size=small']) {
        await page.goto(`${server.url}${path}`);
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

  test('uses the chosen colours, whatever those of the system', async () => {
    const page = await visitor.open(server.url, { colorScheme: 'light' });
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
});
