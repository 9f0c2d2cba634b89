import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPublisher, type Publisher, PublishError } from '../../publisher/index.ts';
import { localKeys, localRegion } from '../../publisher/signed-request.ts';
import { startStack, type Stack } from '../e2e/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const credentials = () => Promise.resolve(localKeys);
const ways: readonly [string, () => Publisher][] = [
  ['over HTTP', () => createPublisher({ url: `${stack.url}/publish`, credentials })],
  ['by direct invocation', () => createPublisher({ ...invocation(), credentials })],
];

function invocation() {
  const functionName = stack.cloud.deployment.outputs.get('PublishFunctionName') ?? '';
  return { functionName, region: localRegion, endpoint: stack.url };
}

describe.each(ways)('a publisher %s', (_way, open) => {
  it('publishes, and gives the first answer again to the same messageId', async () => {
    const user = randomUUID();
    const client = await stack.connect({ user });
    const message = { to: `user:member:${user}`, type: 'x', content: { a: 1 }, messageId: randomUUID() };
    const answer = await open().publish(message);
    expect(answer).toMatchObject({ messageId: message.messageId, status: 'delivered', delivered: 1 });
    expect(await client.next()).toMatchObject({ type: 'x', content: { a: 1 } });
    expect(await open().publish(message)).toEqual(answer);
    await client.expectSilence();
  });

  it('publishes bare text', async () => {
    const user = randomUUID();
    const client = await stack.connect({ user });
    await open().publish({ to: `user:member:${user}`, text: 'hello' });
    expect(await client.nextText()).toBe('hello');
  });

  it('rejects with the code and the wrong fields where the stack refuses', async () => {
    const refusal = await open()
      .publish({ to: 'user:member:42', type: '', content: 1 })
      .catch((cause: unknown) => cause);
    expect(refusal).toBeInstanceOf(PublishError);
    expect(refusal).toMatchObject({ code: 'bad_request', details: [{ field: 'type' }] });
  });
});

describe('a publisher', () => {
  const message = { to: 'everyone', type: 'x', content: 1 };

  it('is forbidden where AWS refuses its keys', async () => {
    const wrong = () => Promise.resolve({ ...localKeys, secretAccessKey: 'wrong' });
    const publisher = createPublisher({ url: `${stack.url}/publish`, credentials: wrong });
    await expect(publisher.publish(message)).rejects.toMatchObject({
      name: 'PublishError',
      code: 'forbidden',
      status: 403,
    });
  });

  it('needs the Region behind a custom domain, whose name does not say it', async () => {
    const publisher = createPublisher({ url: 'https://api.example.com/publish', credentials });
    await expect(publisher.publish(message)).rejects.toThrow(
      'api.example.com names no Region: set the option region.',
    );
  });

  it('signs for the Region that it is given', async () => {
    const publisher = createPublisher({ url: `${stack.url}/publish`, region: 'eu-west-1', credentials });
    await expect(publisher.publish(message)).rejects.toMatchObject({ code: 'forbidden', status: 403 });
  });

  it('says that AWS answered where no publish is behind the address', async () => {
    const publisher = createPublisher({ url: `${stack.url}/nowhere`, credentials });
    await expect(publisher.publish(message)).rejects.toMatchObject({ code: 'internal', status: 404 });
  });
});
