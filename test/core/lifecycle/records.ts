import { startOfTime } from '../core-under-test.ts';

/** The row of a session, as the stream of the table carries it. */
export function image(connectionId: string, more: Record<string, object> = {}) {
  return {
    pk: { S: 'USER#acme#member#42' },
    sk: { S: connectionId },
    connectionId: { S: connectionId },
    audience: { S: 'AUDIENCE#acme#1' },
    connectedAt: { N: String(startOfTime) },
    tokenExpiresAt: { N: String(startOfTime + 60_000) },
    sourceIp: { S: '192.0.2.1' },
    userAgent: { S: 'test' },
    topics: { SS: ['orders'] },
    ...more,
  };
}

/** A record of the stream (https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html). */
export function record(
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE',
  connectionId: string,
  more = {},
  number = 1,
) {
  const { pk, sk } = image(connectionId);
  return {
    eventID: 'c4ca4238a0b923820dcc509a6f75849b',
    eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb' as const,
    awsRegion: 'us-east-1',
    dynamodb: {
      ApproximateCreationDateTime: 1_479_499_740,
      Keys: { pk, sk },
      [eventName === 'REMOVE' ? 'OldImage' : 'NewImage']: image(connectionId, more),
      SequenceNumber: String(number),
      SizeBytes: 112,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    eventSourceARN: 'arn:aws:dynamodb:us-east-1:123456789012:table/sessions/stream/2026-11-20T00:00:00.000',
  };
}
