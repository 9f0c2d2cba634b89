import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useEndpoint } from '../../core/targets/endpoint.ts';
import type { Grant } from '../../../local/index.ts';
import type { Stack } from '../stack.ts';
import { useEverything } from './features.ts';
import { connectOften } from './handshakes-and-ends.ts';
import { startWholeStack } from './whole-stack.ts';

const endpoint = useEndpoint();
let stack: Stack;
beforeAll(async () => {
  // One window has 10 seconds, so that units are reported on a slow machine too.
  stack = await startWholeStack(endpoint.url, { userRate: { rateLimit: 20, burstLimit: 200 } });
});
afterAll(() => stack.close());

/** Grants that are needed, although nothing on this machine uses them, and those that are not the stack's own. */
function isExcused({ function: name, action, resource }: Grant): boolean {
  return (
    // Lambda writes the logs itself, in the role of the function. The laptop cloud has no CloudWatch.
    action.startsWith('logs:') ||
    // CDK's `grantRead` adds it. It alone knows the key of a secret, and the ARN of one that is imported by its name.
    action === 'secretsmanager:DescribeSecret' ||
    // A revocation that comes between the authorizer and `$connect`, which milliseconds decide (open.test.ts).
    (name.includes('Connect') && action === 'dynamodb:DeleteItem') ||
    // A record of the stream becomes a dead letter after ten retries, which take two minutes.
    (name.includes('Presence') && resource.includes('PresenceDeadLetters')) ||
    name.startsWith('Orders')
  );
}

describe('a use of all that a stack offers', () => {
  it('works', async () => {
    await useEverything({ stack, endpoint, text: 'hello' });
    await connectOften(stack);
  }, 120_000);

  it('is denied nothing', () => {
    expect(stack.cloud.deniedCalls()).toEqual([]);
  });

  it('needs every grant', async () => {
    const unused = () =>
      stack.cloud
        .grants()
        .filter((grant) => grant.calls === 0 && !isExcused(grant))
        .map(({ function: name, action, resource }) => `${name} ${action} ${resource}`);
    // Functions behind queues may still run.
    await expect.poll(unused).toEqual([]);
  });
});
