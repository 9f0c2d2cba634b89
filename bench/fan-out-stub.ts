import { createServer } from 'node:http';
import { serveUntilParentLeaves } from '../scripts/server-process.ts';

/**
 * Replaces the callback API. It takes 10,000 requests per second with a burst of 5,000, the quota of an account, and
 * answers 429 above that. `POST /reset {"gone","throttled"}` starts a scenario: `gone` is the share of ids that are
 * gone, `throttled` the share of requests that are also throttled. `GET /deliveries` lists each id with the number of
 * its deliveries.
 */
const account = { rate: 10_000, burst: 5_000 };

let free = account.burst;
let filledAt = performance.now();
let shares = { gone: 0, throttled: 0 };
const deliveries = new Map<string, number>();
let requests = 0;

function isWithinRate(): boolean {
  const now = performance.now();
  free = Math.min(account.burst, free + ((now - filledAt) * account.rate) / 1000);
  filledAt = now;
  if (free < 1) return false;
  free -= 1;
  return true;
}

function statusOf(id: string): number {
  requests += 1;
  if (!isWithinRate()) return 429;
  if (shares.throttled > 0 && requests % Math.round(1 / shares.throttled) === 0) return 429;
  if (shares.gone > 0 && Number(id.slice(1)) % Math.round(1 / shares.gone) === 0) return 410;
  deliveries.set(id, (deliveries.get(id) ?? 0) + 1);
  return 200;
}

await serveUntilParentLeaves(
  createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/deliveries') {
        response.end(JSON.stringify([...deliveries]));
      } else if (request.url === '/reset') {
        shares = JSON.parse(Buffer.concat(chunks).toString()) as typeof shares;
        deliveries.clear();
        response.end();
      } else {
        const id = decodeURIComponent(request.url?.split('/').at(-1) ?? '');
        response.writeHead(statusOf(id), { 'content-length': 0 }).end();
      }
    });
  }),
);
