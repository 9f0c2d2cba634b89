import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Endpoint } from '../../core/targets/endpoint.ts';
import type { Client } from '../client.ts';
import { signToken, type Stack, stackSecret, type User } from '../stack.ts';

/** A stack that is in use, and the text that is in the content of every message. */
export interface Use {
  readonly stack: Stack;
  readonly endpoint: Endpoint;
  readonly text: string;
}

/** What signs the tokens of the stack. */
export const tokenSecret = stackSecret;

export function tokenOf(user: User): Promise<string> {
  return signToken({ type: 'member', tenant: 'default', topics: ['*'], ttlSeconds: 3600, ...user });
}

/** Sends a frame, and resolves to the content of its ack. */
export async function ask(client: Client, type: string, content: unknown): Promise<unknown> {
  const id = randomUUID();
  client.send({ type, id, content });
  for (;;) {
    const frame = await client.next();
    if (frame['id'] !== id) continue;
    expect(frame).toMatchObject({ type: 'ack' });
    return frame['content'];
  }
}

/** The id of the user's connection. */
export async function sessionOf(stack: Stack, user: string): Promise<string> {
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
  return (body as { sessions: [{ connectionId: string }] }).sessions[0].connectionId;
}

export async function setFaults(stack: Stack, faults: object): Promise<void> {
  await fetch(`${stack.url}/_local/faults`, { method: 'PUT', body: JSON.stringify(faults) });
}

/** The URL of the queue whose logical id has this part. */
export function queueUrl({ cloud }: Stack, part: string): string {
  const queues = cloud.deployment.ofType('AWS::SQS::Queue');
  return cloud.deployment.physicalId(
    queues.find(({ logicalId }) => logicalId.includes(part))?.logicalId ?? '',
  );
}
