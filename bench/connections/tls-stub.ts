import { createServer } from 'node:https';
import { makeCertificate } from './certificate.ts';

/**
 * Stands in for `@connections` in a process of its own: takes any POST and answers 200 with API Gateway's headers,
 * after the milliseconds in the path's first segment (`/10/live/@connections/…`).
 * Prints one line of JSON once it listens: `{"port", "cert"}`.
 */
const certificate = makeCertificate();
let served = 0;

const server = createServer(certificate, (request, response) => {
  request.resume();
  request.on('end', () => {
    const delayMs = Number(request.url?.split('/')[1]);
    served += 1;
    const answer = () => {
      response.writeHead(200, { 'content-length': 0, 'x-amzn-requestid': String(served) }).end();
    };
    if (delayMs > 0) setTimeout(answer, delayMs);
    else answer();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('The stub has no port.');
  process.stdout.write(`${JSON.stringify({ port: address.port, cert: certificate.cert })}\n`);
});
process.on('disconnect', () => process.exit());
