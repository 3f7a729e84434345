/** The picture of a terminal in README.md. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { CAMERA_TITLES, PROCESS_TITLES } from '../../../src/commands/status-text';
import { terminalSvg } from '../../../lab/terminal-svg';

describe('the picture of a terminal', () => {
  it('shows the command and each line in its place, with what XML reserves escaped', () => {
    const svg = terminalSvg('vigil status', 'a\n\n  <b> & c\n');
    assert.match(svg, /^<svg [^>]*width="152" height="112"/);
    const texts = [...svg.matchAll(/<text x="(\d+)" y="(\d+)" textLength="(\d+)"[^>]*>(.*)<\/text>/g)];
    assert.deepEqual(
      texts.map(([, x, y, length, text]) => [Number(x), Number(y), Number(length), text]),
      [
        [20, 33, 112, '$ vigil status'],
        [20, 51, 8, 'a'],
        [36, 87, 56, '&#60;b&#62; &#38; c'],
      ],
    );
  });

  it('in docs/images/status.svg has the columns that status prints now, is below 40 kB and loads nothing', () => {
    const svg = readFileSync(path.join(__dirname, '../../../docs/images/status.svg'), 'utf8');
    const titles = (names: readonly string[]) => new RegExp(`>${names.join(' +')}<`);
    assert.match(svg, titles(PROCESS_TITLES));
    assert.match(svg, titles(CAMERA_TITLES));
    assert.ok(svg.length < 40_000);
    assert.doesNotMatch(svg, /href|<script|@import/);
  });
});
