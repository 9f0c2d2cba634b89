// `npm run page`: serves the page, and prints a link for each of two users.
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { context } from 'esbuild';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8000' },
    url: { type: 'string', default: 'ws://127.0.0.1:8080/live' },
  },
});
const builder = await context({
  entryPoints: [`${import.meta.dirname}/page.ts`],
  bundle: true,
  format: 'esm',
  outdir: import.meta.dirname,
  write: false,
});
const { port } = await builder.serve({
  host: '127.0.0.1',
  port: Number(values.port),
  servedir: import.meta.dirname,
});
for (const user of ['42', '43']) {
  const { stdout } = await promisify(execFile)('npx', [
    'switchboard',
    'token',
    '--user',
    user,
    '--topics',
    'orders',
  ]);
  const fragment = new URLSearchParams({ url: values.url, token: stdout.trim() });
  console.log(`user ${user}  http://127.0.0.1:${port}/#${fragment}`);
}
