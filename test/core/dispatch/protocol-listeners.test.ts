import { expect, it } from 'vitest';
import { createProtocolListeners } from '../../../core/dispatch/protocol-listeners.ts';
import { protocolTypes } from '../../../protocol/index.ts';
import { useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();

it('the protocol has a listener for each of its types, except ping, which dispatch answers', async () => {
  const core = await dynamodb.create();
  const verify = () => Promise.resolve({ ok: false, reason: 'not called' } as const);
  const types = createProtocolListeners({ ...core, verify }).map(({ type }) => type);
  expect(types.toSorted()).toEqual(protocolTypes.filter((type) => type !== 'ping').toSorted());
});
