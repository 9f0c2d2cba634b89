import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/mini';

/** How the tables of the synthesised template are keyed and indexed. */
export interface TableSchemas {
  readonly sessions: TableSchema;
  readonly state: TableSchema;
}

export type TableSchema = z.output<typeof tableSchema>;

/** Reads them from an assembly, so that tests run on the tables that are deployed. */
export async function readTableSchemas(assembly: string): Promise<TableSchemas> {
  const text = await readFile(path.join(assembly, 'Switchboard.template.json'), 'utf8');
  const { Resources } = templateSchema.parse(JSON.parse(text));
  const schemaOf = (name: string): TableSchema => {
    const found = Object.entries(Resources).find(
      ([logicalId, { Type }]) => Type === 'AWS::DynamoDB::Table' && logicalId.includes(name),
    );
    if (!found) throw new Error(`The template has no ${name}.`);
    return tableSchema.parse(found[1].Properties);
  };
  return { sessions: schemaOf('SessionsTable'), state: schemaOf('StateTable') };
}

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));

/** The part of a table that CreateTable takes as it stands in the template. */
const tableSchema = z.object({
  KeySchema: keySchema,
  AttributeDefinitions: z.array(
    z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  GlobalSecondaryIndexes: z.optional(
    z.array(
      z.object({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.object({
          ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
          NonKeyAttributes: z.optional(z.array(z.string())),
        }),
      }),
    ),
  ),
});

const templateSchema = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.optional(z.unknown()) })),
});
