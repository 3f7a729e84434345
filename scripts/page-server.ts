/** `npm run page`: the page with a simulated installation behind it, to work on it. `--cameras N --port N --token TEXT` */
import { parseArgs } from 'node:util';
import { PageServer } from '../lab/page/server';

const { values } = parseArgs({
  options: {
    cameras: { type: 'string', default: '200' },
    port: { type: 'string', default: '8081' },
    token: { type: 'string' },
  },
});
const { token } = values;

void PageServer.start({
  ...{ cameras: Number(values.cameras), port: Number(values.port) },
  ...(token === undefined ? {} : { token }),
}).then(({ url }) => process.stdout.write(`${url}\n`));
