import { startDynamoDB } from '../test/dynamodb.ts';
import { announce } from '../scripts/server-process.ts';

// The embedded database. A process of its own keeps its work out of the workers' time. The URL's query names the tables.
const database = await startDynamoDB();
const tables = new URLSearchParams({ ...(await database.createTables()) });
announce(`${database.endpoint}/?${tables.toString()}`, () => database.close());
