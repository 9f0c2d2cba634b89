import { allow, lambdaWithRole } from './assembly.ts';

/** What Lambda needs to read a stream. */
export const readActions = ['GetRecords', 'GetShardIterator', 'DescribeStream', 'ListStreams'].map(
  (action) => `dynamodb:${action}`,
);
export const streamArn = { 'Fn::GetAtt': ['Items', 'StreamArn'] };

/** A table `Items` with the keys `pk` (text) and `sk` (a number), the TTL `expiresAt` and a stream. */
export function itemsTable(properties: object = {}): Record<string, object> {
  return {
    Items: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'N' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        ...properties,
      },
    },
  };
}

/** A function `Reader` that gets the records of the table, in a mapping `Mapping`. It prints each event by default. */
export function streamReader(
  options: {
    readonly code?: string;
    readonly mapping?: object;
    readonly actions?: readonly string[];
    readonly lambda?: object;
  } = {},
): Record<string, object> {
  const { code = printer, mapping = {}, actions = readActions, lambda = {} } = options;
  return {
    ...lambdaWithRole('Reader', code, {
      properties: lambda,
      statements: [
        allow(actions, streamArn),
        allow('sqs:SendMessage', { 'Fn::GetAtt': ['Failures', 'Arn'] }),
      ],
    }),
    Failures: { Type: 'AWS::SQS::Queue', Properties: {} },
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: streamArn,
        FunctionName: { Ref: 'Reader' },
        StartingPosition: 'TRIM_HORIZON',
        ...mapping,
      },
    },
  };
}

/** Prints each event as one line, for the test to read. */
export const printer =
  'exports.handler = async (event) => { process.stdout.write(JSON.stringify(event) + "\\n") }';
