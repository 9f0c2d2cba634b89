/** The keys of a table whose index projects one more attribute. */
export const keysOfSessions = {
  AttributeDefinitions: ['pk', 'sk', 'audience'].map((AttributeName) => ({
    AttributeName,
    AttributeType: 'S',
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byAudience',
      KeySchema: [{ AttributeName: 'audience', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['seen'] },
    },
  ],
};

/** The table as CDK writes it into a template. */
export const sessionsTable = {
  Type: 'AWS::DynamoDB::GlobalTable',
  Properties: {
    ...keysOfSessions,
    BillingMode: 'PAY_PER_REQUEST',
    Replicas: [{ Region: { Ref: 'AWS::Region' } }],
  },
};
