/**
 * `npm run screenshots`: pictures of the page with a simulated installation behind it, in screenshots/: wall and camera, at
 * the size of a phone and of a desktop, light and dark. With `--data-dir DIR` also docs/images/status.svg, from what
 * `status` prints of the daemon that runs there; exit 1 where none does. With `--docs` the two of README.md are renewed.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { startBrowser } from '../lab/browser';
import { PageServer } from '../lab/page/server';
import { waitUntil } from '../lab/process';
import { terminalSvg } from '../lab/terminal-svg';

const ROOT = path.resolve(__dirname, '..');
const FOLDER = path.join(ROOT, 'screenshots');
const IMAGES = path.join(ROOT, 'docs/images');
const COMMAND = 'node dist/main.js status';

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } } as const;
const COLOURS = ['light', 'dark'] as const;
const COUNTS = [4, 40, 200];
const VIEWS = { wall: '', camera: '#/camera/gate-north-1', offline: '#/camera/dock-north-1' } as const;
/** Of the pictures above, those in README.md: name there, and width. */
const IN_README = [
  { from: 'wall-40-desktop-dark', to: 'wall.webp', width: 1440 },
  { from: 'offline-40-desktop-light', to: 'camera.webp', width: 1440 },
];

async function photograph(browser: Browser): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const cameras of COUNTS) {
    const server = await PageServer.start({ cameras });
    for (const [size, viewport] of Object.entries(SIZES))
      for (const colorScheme of COLOURS) {
        const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1 });
        const page = await context.newPage();
        for (const [view, hash] of Object.entries(VIEWS)) {
          if (view !== 'wall' && cameras < 10) continue;
          await page.goto(`${server.url}${hash}`);
          if (hash !== '') await page.reload();
          await settled(page);
          if (view === 'wall' && cameras > 10 && size === 'desktop') await letOneAge(server, page);
          await page.screenshot({ path: path.join(FOLDER, `${view}-${cameras}-${size}-${colorScheme}.png`) });
        }
        await context.close();
      }
    await server.stop();
  }
}

/** One camera goes offline before the viewer's eyes: its last picture stays, darkened, under its age. */
async function letOneAge(server: PageServer, page: Page): Promise<void> {
  server.setCondition('dock-east-1', 'offline');
  await page.getByText(' old', { exact: false }).first().waitFor();
  await page.waitForTimeout(3000);
}

/** Every picture that is in view has been drawn, and the ledger has been read. */
async function settled(page: Page): Promise<void> {
  await page.waitForSelector('.strip svg');
  await waitUntil('every picture in view is drawn', () =>
    page.evaluate<boolean>(`[...document.images].every((image) => image.complete && image.naturalWidth > 0)`),
  );
  await page.waitForTimeout(500);
}

async function renewImages(): Promise<void> {
  for (const { from, to, width } of IN_README)
    await sharp(path.join(FOLDER, `${from}.png`))
      .resize({ width })
      .webp({ quality: 80 })
      .toFile(path.join(IMAGES, to));
}

function renewStatus(dataDir: string): void {
  const { stdout, stderr } = spawnSync(process.execPath, ['dist/main.js', 'status', '--data-dir', dataDir], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (stdout === '') {
    process.stderr.write(stderr);
    process.exitCode = 1;
    return;
  }
  mkdirSync(IMAGES, { recursive: true });
  writeFileSync(path.join(IMAGES, 'status.svg'), terminalSvg(COMMAND, stdout));
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { 'data-dir': { type: 'string' }, docs: { type: 'boolean' } } });
  const browser = await startBrowser({ FONTCONFIG_FILE: path.join(ROOT, 'lab/page/fonts.conf') });
  await photograph(browser).finally(() => browser.close());
  if (values.docs === true) await renewImages();
  if (values['data-dir'] !== undefined) renewStatus(path.resolve(values['data-dir']));
}

void main();
