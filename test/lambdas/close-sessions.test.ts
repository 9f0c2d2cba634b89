import { describe, expect, it } from 'vitest';
import { clientOf, connectEvent, queueEvent } from './events.ts';
import { useCloud } from './functions-under-test.ts';

const cloud = useCloud();
const check = { tenant: 'default', userType: 'member', userId: '1', connectionId: 'c1=' };

describe('the function that closes sessions', () => {
  it('closes a session whose token has expired', async () => {
    const closeSessions = await load(Date.now() - 1);
    expect(await closeSessions(queueEvent(JSON.stringify(check)))).toEqual({ batchItemFailures: [] });
    expect(cloud.current().callbackApi.calls).toMatchObject([
      { method: 'POST', connectionId: 'c1=', body: { content: { code: 'token_expired', retry: true } } },
      { method: 'DELETE', connectionId: 'c1=' },
    ]);
  });

  it('reports a message that failed, so that the queue delivers it again', async () => {
    const closeSessions = await load(Date.now() - 1);
    cloud.current().callbackApi.statuses.set('c1=', 403);
    const event = queueEvent(JSON.stringify(check));
    const [{ messageId } = { messageId: '' }] = event.Records;
    expect(await closeSessions(event)).toEqual({ batchItemFailures: [{ itemIdentifier: messageId }] });
    expect(cloud.current().logged()).toContain('session was not checked');
    cloud.current().callbackApi.statuses.clear();
    expect(await closeSessions(event)).toEqual({ batchItemFailures: [] });
  });
});

async function load(tokenExpiresAt: number) {
  const { handler: connect } = await import('../../lambdas/connect.ts');
  const { handler: closeSessions } = await import('../../lambdas/close-sessions.ts');
  await connect(connectEvent(clientOf('c1=', { tokenExpiresAt })));
  return closeSessions;
}
