import type { Target } from '../../protocol/index.ts';
import type { Recipients } from './recipients.ts';

/** Counts the open sessions behind a target of a tenant. */
export type CountSessions = (tenant: string, target: Target) => Promise<number>;

/** Each shard is counted by DynamoDB, so no session is transferred. The reads are charged all the same. */
export function createCountSessions(recipients: Recipients): CountSessions {
  async function ofShards(count: (shard: number) => Promise<number>): Promise<number> {
    const counts = await Promise.all(Array.from({ length: recipients.shards }, (_, shard) => count(shard)));
    return counts.reduce((sum, counted) => sum + counted, 0);
  }

  return async (tenant, target) => {
    switch (target.kind) {
      case 'session':
        return (await recipients.byConnection(target.connectionId))?.identity.tenant === tenant ? 1 : 0;
      case 'user':
        return recipients.countOpen.user({ tenant, userType: target.userType, userId: target.userId });
      case 'type':
        return ofShards((shard) =>
          recipients.countOpen.audience({ tenant, userType: target.userType, shard }),
        );
      case 'topic':
        return ofShards((shard) => recipients.countOpen.topic({ tenant, topic: target.topic, shard }));
      case 'everyone':
        return ofShards((shard) => recipients.countOpen.audience({ tenant, shard }));
    }
  };
}
