import type { Clock } from '../clock.ts';
import { readText } from './answer.ts';
import type { SendWithin } from './event.ts';
import { urlFault } from './rules.ts';
import type { ReadSecret } from './secrets.ts';
import { readSigningKey, signatureOf } from './signature.ts';

export interface PostParts {
  readonly readSecret: ReadSecret;
  readonly clock: Pick<Clock, 'now'>;
}

/** Posts events to an endpoint, signed as https://www.standardwebhooks.com says. */
export function createPost(
  { url, secret }: { readonly url: string; readonly secret: string },
  { readSecret, clock }: PostParts,
): SendWithin {
  return async (event, signal) => {
    // The stack cannot check an address that is known only after the deployment.
    const fault = urlFault(url);
    if (fault !== undefined) throw new Error(`The address ${fault}.`);
    const body = JSON.stringify(event);
    const id = event.messageId;
    const timestamp = Math.floor(clock.now() / 1000);
    const key = readSigningKey(await readSecret(secret, signal));
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'switchboard',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatureOf(key, { id, timestamp, body }),
      },
      body,
      // A redirect could lead a signed event to another host.
      redirect: 'manual',
      signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`The endpoint answered with status ${response.status}.`);
    }
    const answer = await readText(response);
    return response.status === 204 ? 'null' : answer;
  };
}
