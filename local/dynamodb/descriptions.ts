import type { EngineAnswer, EngineOperation } from './engine.ts';
import type { Table } from './tables.ts';
import { asRecord, type JsonRecord } from '../json.ts';

/** Adds the stream and the time to live to a description. The engine knows of neither. */
export function withSettings(operation: EngineOperation, answer: EngineAnswer, table: Table): JsonRecord {
  const { status, body } = answer;
  const { stream, ttlAttribute } = table;
  if (status !== 200) return body;
  if (operation === 'DescribeTable' && stream !== undefined) {
    const settings = {
      StreamSpecification: { StreamEnabled: true, StreamViewType: stream.view },
      LatestStreamArn: stream.arn,
      LatestStreamLabel: stream.arn.split('/stream/')[1],
    };
    return { ...body, Table: { ...asRecord(body.Table), ...settings } };
  }
  if (operation === 'DescribeTimeToLive' && ttlAttribute !== undefined) {
    return { TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: ttlAttribute } };
  }
  return body;
}
