import { describe, expect, it } from 'vitest';
import { asRecord } from '../../../../local/json.ts';
import { writeAssembly } from '../../harness/assembly.ts';
import { startPlatform } from '../../harness/platform.ts';
import { itemsTable, readActions, streamReader } from '../../harness/table-template.ts';
import { destination, type Options, start } from './stream-under-test.ts';

describe('a mapping of a stream that cannot run', () => {
  const without = (action: string) => readActions.filter((each) => each !== `dynamodb:${action}`);
  const cannotAccess = 'GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.';

  it.each<[string, Options]>([
    [`${cannotAccess} dynamodb:GetRecords is missing.`, { actions: without('GetRecords') }],
    [`${cannotAccess} dynamodb:GetShardIterator is missing.`, { actions: without('GetShardIterator') }],
    [`${cannotAccess} dynamodb:DescribeStream is missing.`, { actions: without('DescribeStream') }],
    [`${cannotAccess} dynamodb:ListStreams is missing.`, { actions: without('ListStreams') }],
    ['TumblingWindowInSeconds of a stream cannot run here.', { mapping: { TumblingWindowInSeconds: 60 } }],
    [
      'StartingPosition is TRIM_HORIZON or LATEST, not AT_TIMESTAMP.',
      { mapping: { StartingPosition: 'AT_TIMESTAMP' } },
    ],
    [
      'StartingPosition is TRIM_HORIZON or LATEST, not undefined.',
      { mapping: { StartingPosition: undefined } },
    ],
    ['BatchSize is 1 to 10000, not 10001.', { mapping: { BatchSize: 10_001 } }],
    [
      'MaximumBatchingWindowInSeconds is 0 to 300, not 301.',
      { mapping: { MaximumBatchingWindowInSeconds: 301 } },
    ],
    ['ParallelizationFactor is 1 to 10, not 11.', { mapping: { ParallelizationFactor: 11 } }],
    ['MaximumRetryAttempts is -1 to 10000, not many.', { mapping: { MaximumRetryAttempts: 'many' } }],
    [
      'MaximumRecordAgeInSeconds is -1 or at least 60, not 59.',
      { mapping: { MaximumRecordAgeInSeconds: 59 } },
    ],
    ['its filter { is not JSON.', { mapping: { FilterCriteria: { Filters: [{ Pattern: '{' }] } } }],
    [
      "The event pattern's eventName is an object or a list.",
      { mapping: { FilterCriteria: { Filters: [{ Pattern: '{"eventName":"INSERT"}' }] } } },
    ],
    [
      'its on-failure destination arn:aws:sns:us-east-1:1:topic is not a queue of the template.',
      { mapping: { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sns:us-east-1:1:topic' } } } },
    ],
    [
      'its event source arn:nothing is neither a queue nor a stream of the template.',
      { mapping: { EventSourceArn: 'arn:nothing' } },
    ],
    ['its function nobody is not in the template.', { mapping: { FunctionName: 'nobody' } }],
  ])('is refused: %s', async (message, options) => {
    const started = start(options);
    await expect(started).rejects.toThrow('Mapping: ');
    await expect(started).rejects.toThrow(message);
  });

  it('is refused if its role may not send to the destination', async () => {
    const { Failures, ...resources } = streamReader({ mapping: { ...destination } });
    const Other = { Type: 'AWS::SQS::Queue', Properties: {} };
    const elsewhere = { OnFailure: { Destination: { 'Fn::GetAtt': ['Other', 'Arn'] } } };
    const mapping = asRecord(resources.Mapping);
    const Mapping = {
      ...mapping,
      Properties: { ...asRecord(mapping.Properties), DestinationConfig: elsewhere },
    };
    const Resources = { ...itemsTable(), ...resources, Failures, Other, Mapping };
    await expect(startPlatform(writeAssembly({ Resources }))).rejects.toThrow(
      /^Mapping: The function's execution role does not have permissions to call SendMessage on arn:aws:sqs:.*Other/,
    );
  });
});
