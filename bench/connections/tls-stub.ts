import { createServer } from 'node:https';
import { makeCertificate } from './certificate.ts';

/**
 * Replaces `@connections` in its own process. It answers every POST with 200 and API Gateway's headers. The first
 * segment of the path is the delay in milliseconds (`/10/live/@connections/…`). Once it listens, it prints one line of
 * JSON: `{"port", "cert"}`.
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
