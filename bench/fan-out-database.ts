import { startDynamoDB } from '../test/dynamodb.ts';
import { announce } from '../scripts/server-process.ts';

// The embedded database, in a process of its own: its work must not be the workers'. The tables' names are in the query.
const database = await startDynamoDB();
const tables = new URLSearchParams({ ...(await database.createTables()) });
announce(`${database.endpoint}/?${tables.toString()}`, () => database.close());
