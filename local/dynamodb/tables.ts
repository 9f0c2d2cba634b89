import type { DynamoEngine } from './engine.ts';
import { asBoolean, asList, asRecord, asText, asTexts, type JsonRecord, toText } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** A table of the template, with the facts that capacity and IAM need. */
export interface Table {
  readonly name: string;
  readonly arn: string;
  readonly keys: readonly string[];
  readonly indexes: readonly Index[];
  /** `undefined` if the table has no stream. */
  readonly stream: StreamSettings | undefined;
  /** The attribute of the time to live, if the table deletes expired items. */
  readonly ttlAttribute: string | undefined;
}

export interface StreamSettings {
  readonly arn: string;
  readonly view: StreamView;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_StreamSpecification.html */
const streamViews = ['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES'] as const;
export type StreamView = (typeof streamViews)[number];

export interface Index {
  readonly name: string;
  readonly keys: readonly string[];
  /** The attributes in the index besides the keys; `undefined` if it has the whole item. */
  readonly projected: readonly string[] | undefined;
}

/** Makes the tables of the template, or opens those that an earlier run left in the data folder. */
export async function createTables(
  engine: DynamoEngine,
  deployment: Deployment,
): Promise<ReadonlyMap<string, Table>> {
  const resources = [
    ...deployment.ofType('AWS::DynamoDB::Table'),
    ...deployment.ofType('AWS::DynamoDB::GlobalTable'),
  ];
  const tables = new Map<string, Table>();
  for (const resource of resources) {
    const name = deployment.physicalId(resource.logicalId);
    await createTable(engine, name, resource);
    tables.set(name, readTable(deployment, resource));
  }
  return tables;
}

async function createTable(
  engine: DynamoEngine,
  name: string,
  { logicalId, properties }: Resource,
): Promise<void> {
  const secondary = ['GlobalSecondaryIndexes', 'LocalSecondaryIndexes'] as const;
  const input = {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: properties.AttributeDefinitions,
    KeySchema: properties.KeySchema,
    ...Object.fromEntries(
      secondary
        .filter((kind) => asList(properties[kind]).length > 0)
        .map((kind) => [kind, asList(properties[kind]).map((index) => indexInput(asRecord(index)))]),
    ),
  };
  const created = await engine.call('CreateTable', input);
  const { Table: existing } = (await engine.call('DescribeTable', { TableName: name })).body;
  if (created.status === 200) return untilActive(engine, name);
  if (existing === undefined) throw new TemplateError(`${logicalId}: ${String(created.body.message)}`);
  if (schemaOf(asRecord(existing)) !== schemaOf(input)) {
    throw new TemplateError(
      `${logicalId}: the table ${name} exists with other keys or indexes. Restart to make it anew, without --data or ` +
        'with another folder.',
    );
  }
}

/** dynalite activates a table in a timer of 0 ms. */
async function untilActive(engine: DynamoEngine, name: string): Promise<void> {
  for (;;) {
    const { body } = await engine.call('DescribeTable', { TableName: name });
    if (asRecord(body.Table).TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function indexInput({ IndexName, KeySchema, Projection }: JsonRecord): JsonRecord {
  return { IndexName, KeySchema, Projection };
}

function schemaOf(table: JsonRecord): string {
  const indexes = [...asList(table.GlobalSecondaryIndexes), ...asList(table.LocalSecondaryIndexes)].map(
    asRecord,
  );
  const described = indexes.map(({ IndexName, KeySchema, Projection }) =>
    JSON.stringify([
      IndexName,
      keysOf(KeySchema),
      asRecord(Projection).ProjectionType,
      asRecord(Projection).NonKeyAttributes,
    ]),
  );
  return JSON.stringify([keysOf(table.KeySchema), described.sort()]);
}

function readTable(deployment: Deployment, { logicalId, properties }: Resource): Table {
  const indexes = [
    ...asList(properties.GlobalSecondaryIndexes),
    ...asList(properties.LocalSecondaryIndexes),
  ].map(asRecord);
  const { AttributeName: ttlAttribute, Enabled } = asRecord(properties.TimeToLiveSpecification);
  return {
    name: deployment.physicalId(logicalId),
    arn: deployment.attribute(logicalId, 'Arn'),
    keys: keysOf(properties.KeySchema),
    indexes: indexes.map(({ IndexName, KeySchema, Projection }) => {
      const { ProjectionType, NonKeyAttributes } = asRecord(Projection);
      return {
        name: asText(IndexName) ?? '',
        keys: keysOf(KeySchema),
        projected: ProjectionType === 'ALL' ? undefined : asTexts(NonKeyAttributes),
      };
    }),
    stream: readStream(deployment, { logicalId, properties }),
    ttlAttribute: asBoolean(Enabled) === true ? asText(ttlAttribute) : undefined,
  };
}

function readStream(
  deployment: Deployment,
  { logicalId, properties }: Pick<Resource, 'logicalId' | 'properties'>,
): StreamSettings | undefined {
  if (properties.StreamSpecification === undefined) return undefined;
  const { StreamViewType } = asRecord(properties.StreamSpecification);
  const view = streamViews.find((known) => known === StreamViewType);
  if (view === undefined) {
    throw new TemplateError(
      `${logicalId}: the StreamViewType is ${streamViews.join(', ')}, not ${toText(StreamViewType)}.`,
    );
  }
  return { arn: deployment.attribute(logicalId, 'StreamArn'), view };
}

function keysOf(schema: unknown): readonly string[] {
  return asList(schema).map((key) => asText(asRecord(key).AttributeName) ?? '');
}
