/**
 * Whether pictures show what was in front of the camera: clips with known pictures are damaged, received and
 * decoded as by a camera, and compared. README.md, docs/pictures.md.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkedTable } from '../lab/truth/checked';
import { colourTable, shapeTable } from '../lab/truth/colours';
import { confusionTable, fillingTable, reliabilityTable, type Judged } from '../lab/truth/confusion';
import { judgeDamage, judgeFiles } from '../lab/truth/damage-run';
import { ALL_SCENES, hardSceneTables } from '../lab/truth/hard-scenes';
import { encoderCostTable } from '../lab/truth/encoder-cost';
import { halfBrokenTables } from '../lab/truth/half-broken';
import { judgeNetwork } from '../lab/truth/network';
import { qualityTable } from '../lab/truth/quality';
import { SCENES } from '../lab/truth/scenes';
import { withPrivateServers } from '../scripts/private-servers';
import { endProcess } from '../src/os/output';

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: 'damage,checked,network,scenes,half,colour,shape,quality' },
    seed: { type: 'string', default: '1' },
    scenes: { type: 'string' },
    encoders: { type: 'string', default: '' },
    every: { type: 'string', default: '5' },
    size: { type: 'string', default: '640x360' },
    count: { type: 'string', default: '50' },
    rows: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    files: { type: 'string', default: '' },
    'used-up': { type: 'boolean', default: false },
  },
});

/** The values of `--scenes`; undefined if it was not given. */
function chosen<T extends string>(known: readonly T[]): readonly T[] | undefined {
  return values.scenes?.split(',').filter((name): name is T => known.some((each) => each === name));
}

async function damage(files: readonly string[]): Promise<void> {
  const [width = 0, height = 0] = values.size.split('x').map(Number);
  const scenes = chosen(SCENES) ?? SCENES;
  const { rows, encoders } = values;
  const judged: Judged[] = [];
  if (rows !== undefined && existsSync(rows))
    for (const line of readFileSync(rows, 'utf8').split('\n'))
      if (line !== '') judged.push(JSON.parse(line) as Judged);
  const [seed, every, count] = [Number(values.seed), Number(values.every), Number(values.count)];
  const ofAll =
    files.length > 0
      ? judgeFiles(files, { seed, every, count })
      : judgeDamage({ seed, scenes, encoders, every, width, height, count, isUsedUp: values['used-up'] });
  for await (const some of ofAll) {
    judged.push(...some);
    if (rows !== undefined) appendFileSync(rows, some.map((each) => `${JSON.stringify(each)}\n`).join(''));
  }
  console.log(`\nVerdicts on damaged pictures, seed ${seed}\n\n${confusionTable(judged)}`);
  console.log(`\nReliability of the confidence\n\n${reliabilityTable(judged)}`);
  console.log(`\nSigns in the picture itself\n\n${fillingTable(judged)}`);
}

/** A real daemon, on servers of its own. */
async function network(): Promise<void> {
  const judged = await withPrivateServers((variables) => {
    Object.assign(process.env, variables);
    return judgeNetwork(Number(values.seed), Number(values.seconds));
  });
  console.log(`\nVerdicts behind a network that loses packets\n\n${confusionTable(judged)}`);
  console.log(`\nReliability of the confidence\n\n${reliabilityTable(judged)}`);
}

async function main(): Promise<void> {
  const parts = values.parts.split(',');
  if (parts.includes('damage')) await damage(values.files === '' ? [] : values.files.split(','));
  if (parts.includes('checked'))
    console.log(`\nPictures of H.265 that are looked through\n\n${await checkedTable()}`);
  if (parts.includes('network')) await network();
  if (parts.includes('scenes')) {
    const [verdicts, reliability] = await hardSceneTables(Number(values.seed), chosen(ALL_SCENES));
    console.log(`\nVerdicts on good pictures, by number\n\n${verdicts}\n\nReliability\n\n${reliability}`);
  }
  if (parts.includes('half')) {
    const [verdicts, reliability] = await halfBrokenTables(Number(values.seed));
    console.log(`\nVerdicts on half-broken pictures\n\n${verdicts}\n\nReliability\n\n${reliability}`);
  }
  if (parts.includes('colour'))
    console.log(`\nColours: mean error and that of the worst patch, of 255\n\n${await colourTable()}`);
  if (parts.includes('shape'))
    console.log(`\nShape: stored size, error of the worst patch and of the corners\n\n${await shapeTable()}`);
  if (parts.includes('quality')) {
    const seed = Number(values.seed);
    console.log(`\nQuality against libjpeg-turbo\n\n${await qualityTable(seed)}`);
    console.log(`\nEncoders at quality 80\n\n${await encoderCostTable(seed)}`);
  }
}

void main().then(
  () => endProcess(0, Infinity),
  (error: unknown) => {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    void endProcess(1, Infinity);
  },
);
