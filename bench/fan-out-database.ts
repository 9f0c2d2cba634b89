import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { synthesise } from '../scripts/synthesise.ts';
import { startDynamoDB } from '../test/dynamodb.ts';
import { readTableSchemas } from '../test/table-schemas.ts';
import { announce } from '../scripts/server-process.ts';

const assembly = await mkdtemp(path.join(os.tmpdir(), 'switchboard-bench-'));
await synthesise(assembly);
const schemas = await readTableSchemas(assembly);
await rm(assembly, { recursive: true });

// The embedded database in its own process, so that its CPU time does not count. The URL's query names the tables.
const database = await startDynamoDB(schemas);
const tables = new URLSearchParams({ ...(await database.createTables()) });
announce(`${database.endpoint}/?${tables.toString()}`, () => database.close());
