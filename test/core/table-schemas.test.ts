import { describe, expect, it } from 'vitest';
import { stateSchema, sessionsSchema } from '../dynamodb.ts';
import { createStack, resourcesOf } from '../infrastructure/stack-under-test.ts';

describe('the tables that the tests run against', () => {
  it('have the keys, indexes and projections of the tables that are deployed', () => {
    const deployed = resourcesOf(createStack(), 'AWS::DynamoDB::Table').map(({ properties }) => ({
      KeySchema: properties.KeySchema,
      AttributeDefinitions: properties.AttributeDefinitions,
      GlobalSecondaryIndexes: properties.GlobalSecondaryIndexes,
    }));

    expect(deployed).toHaveLength(2);
    expect(deployed).toContainEqual({ GlobalSecondaryIndexes: undefined, ...stateSchema });
    expect(deployed).toContainEqual(sessionsSchema);
  });
});
