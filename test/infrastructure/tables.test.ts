import { describe, expect, it } from 'vitest';
import { createStack, resourcesOf } from './stack-under-test.ts';

const stack = createStack();
const tables = resourcesOf(stack, 'AWS::DynamoDB::Table');
const sessions = tables.find(({ logicalId }) => logicalId === 'SessionsTable')?.properties;
const state = tables.find(({ logicalId }) => logicalId === 'StateTable')?.properties;

const key = (hash: string, range?: string) => [
  { AttributeName: hash, KeyType: 'HASH' },
  ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' }]),
];

describe('tables', () => {
  it('are two', () => {
    expect(tables.map(({ logicalId }) => logicalId).sort()).toEqual(['SessionsTable', 'StateTable']);
  });

  it.each([
    ['sessions', sessions],
    ['state', state],
  ])('%s is on demand, expires by TTL, is encrypted by DynamoDB, and feeds no stream', (_name, table) => {
    expect(table).toMatchObject({
      KeySchema: key('pk', 'sk'),
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      // False means DynamoDB's own key, which encrypts every table. True would mean a KMS key, which costs extra.
      SSESpecification: { SSEEnabled: false },
    });
    expect(table).not.toHaveProperty('StreamSpecification');
  });

  it('find sessions by audience and by connection, with the attributes that tell whether they are open', () => {
    const open = { ProjectionType: 'INCLUDE', NonKeyAttributes: ['connectedAt', 'tokenExpiresAt'] };
    expect(sessions?.['GlobalSecondaryIndexes']).toEqual([
      { IndexName: 'byAudience', KeySchema: key('audience', 'member'), Projection: open },
      { IndexName: 'byConnection', KeySchema: key('connectionId'), Projection: open },
    ]);
    expect(state).not.toHaveProperty('GlobalSecondaryIndexes');
  });

  it('can be restored to any moment: they hold durable messages, and revocations', () => {
    for (const table of [state, sessions])
      expect(table).toMatchObject({
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      });
  });
});

describe('a resource that holds data', () => {
  const stateful = ['AWS::DynamoDB::Table', 'AWS::SecretsManager::Secret', 'AWS::Logs::LogGroup'];
  const policies = (given: ReturnType<typeof createStack>) =>
    new Set(stateful.flatMap((type) => resourcesOf(given, type).map(({ deletionPolicy }) => deletionPolicy)));

  it('stays by default if the stack is deleted', () => {
    expect(policies(stack)).toEqual(new Set(['Retain']));
  });

  it('is deleted with the stack if the setting says so', () => {
    expect(policies(createStack({ removalPolicy: 'destroy' }))).toEqual(new Set(['Delete']));
  });
});

describe('the token secret', () => {
  it('is made by Secrets Manager, is longer than HS256 asks for, and is in no template', () => {
    expect(
      resourcesOf(stack, 'AWS::SecretsManager::Secret').map(({ properties }) => properties),
    ).toMatchObject([{ GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true } }]);
  });
});
