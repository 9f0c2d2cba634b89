import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AttributeValue,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Database, performWrite } from '../../../local/dynamodb/changes.ts';
import { openEngine } from '../../../local/dynamodb/engine.ts';
import { Expiry } from '../../../local/dynamodb/expiry.ts';
import { ItemLocks } from '../../../local/dynamodb/locks.ts';
import { createTables } from '../../../local/dynamodb/tables.ts';
import { asList, asRecord } from '../../../local/json.ts';
import { loadDeployment } from '../../../local/template/template.ts';
import { writeAssembly } from '../harness/assembly.ts';
import { manualClock } from '../harness/manual-clock.ts';
import { startPlatform } from '../harness/platform.ts';
import { itemsTable, streamReader } from '../harness/table-template.ts';

const patiently = { timeout: 15_000 };
const assembly = writeAssembly({ Resources: { ...itemsTable(), ...streamReader() } });
const plainTable = writeAssembly({ Resources: itemsTable({ StreamSpecification: undefined }) });

/** A table whose time the test sets: `advance` moves the clock of the cloud, and `now` is the time of the machine. */
async function openTable() {
  const deployment = loadDeployment(plainTable, 'http://127.0.0.1');
  const TableName = deployment.physicalId('Items');
  const engine = openEngine(deployment);
  const clock = manualClock();
  const machine = { seconds: 1_800_000_000 };
  const database: Database = {
    engine,
    tables: await createTables(engine, deployment),
    locks: new ItemLocks(),
    onChange: ({ table, after }) => {
      expiry.note(table, after);
    },
  };
  const expiry = new Expiry(database, clock, () => machine.seconds * 1000);
  await expiry.start();
  onTestFinished(async () => {
    await expiry.close();
    await engine.close();
  });
  const itemOf = (sk: number, expiresAt: AttributeValue) => ({
    pk: { S: 'a' },
    sk: { N: String(sk) },
    expiresAt,
  });
  const put = (sk: number, expiresAt: AttributeValue) =>
    performWrite(database, 'PutItem', { TableName, Item: itemOf(sk, expiresAt) }, 'caller');
  const noteAgain = (sk: number, expiresAt: AttributeValue) => {
    for (const table of database.tables.values()) expiry.note(table, itemOf(sk, expiresAt));
  };
  const stored = async () => {
    const { body } = await engine.call('Scan', { TableName, ConsistentRead: true });
    return asList(body.Items).map((item) => Number(asRecord(asRecord(item).sk).N));
  };
  return { clock, machine, put, stored, noteAgain };
}

const year = 365 * 24 * 3600;

describe('an item with a time to live', () => {
  it('is deleted after it, in the next sweep', async () => {
    const { clock, machine, put, stored } = await openTable();
    await put(1, { N: String(machine.seconds + 10) });
    await put(2, { N: String(machine.seconds + 100) });
    machine.seconds += 11;
    clock.advance(59_999);
    expect(await stored()).toEqual([1, 2]);
    clock.advance(1);
    await expect.poll(stored, patiently).toEqual([2]);
  });

  it('stays for as long as functions see it valid, however fast the cloud runs', async () => {
    const { clock, machine, put, stored } = await openTable();
    await put(1, { N: String(machine.seconds + 10) });
    await put(2, { N: String(machine.seconds - 1) });
    machine.seconds += 10;
    clock.advance(24 * 3600 * 1000);
    // AWS too compares whether the value is less than the current time (UpdateTimeToLive).
    await expect.poll(stored, patiently).toEqual([1]);
  });

  it('stays if its time is no number, or more than five years ago', async () => {
    const { clock, machine, put, stored } = await openTable();
    const seconds = machine.seconds - 100;
    await put(1, { S: String(seconds) });
    await put(2, { N: String(seconds - 5 * year) });
    await put(3, { N: String(seconds - 5 * year + 200) });
    await put(4, { NULL: true });
    await put(5, { N: String(seconds) });
    // In milliseconds, this time is far in the future.
    await put(6, { N: String(seconds * 1000) });
    clock.advance(60_000);
    await expect.poll(stored, patiently).toEqual([1, 2, 4, 6]);
  });

  it('stays if a later write has given it more time', async () => {
    const { clock, machine, put, stored } = await openTable();
    for (const sk of [1, 2, 3]) await put(sk, { N: String(machine.seconds + 10) });
    await put(1, { N: String(machine.seconds + 500) });
    await put(2, { S: 'never' });
    machine.seconds += 100;
    clock.advance(60_000);
    await expect.poll(stored, patiently).toEqual([1, 2]);
    machine.seconds += 500;
    clock.advance(60_000);
    await expect.poll(stored, patiently).toEqual([2]);
  });

  it('is deleted by its own time, even if two writes are noted in the other order', async () => {
    const { clock, machine, put, stored, noteAgain } = await openTable();
    const expiresAt = { N: String(machine.seconds + 100) };
    await put(1, expiresAt);
    noteAgain(1, { N: String(machine.seconds + 10) });
    await put(2, { N: String(machine.seconds + 10) });
    machine.seconds += 11;
    clock.advance(60_000);
    await expect.poll(stored, patiently).toEqual([1]);
    machine.seconds += 90;
    clock.advance(60_000);
    await expect.poll(stored, patiently).toEqual([]);
  });
});

describe('the deletion of expired items', () => {
  it('is in the stream as a deletion by the service, and costs nothing', async () => {
    const platform = await startPlatform(assembly, { clockSpeed: 600 });
    const client = new DynamoDBClient(platform.client);
    const TableName = platform.deployment.physicalId('Items');
    const item = {
      pk: { S: 'a' },
      sk: { N: '1' },
      expiresAt: { N: String(Math.floor(Date.now() / 1000) - 5) },
    };
    await client.send(new PutItemCommand({ TableName, Item: item }));
    await expect.poll(() => platform.output.join(''), patiently).toContain('REMOVE');
    const [, removal] = platform.output
      .flatMap((text) => text.trim().split('\n'))
      .flatMap((line) => asList(asRecord(JSON.parse(line)).Records));
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
    expect(removal).toMatchObject({
      eventName: 'REMOVE',
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
      dynamodb: { OldImage: item },
    });
    const counted = Object.entries(platform.meter.snapshot()).filter(([name]) =>
      name.startsWith('dynamodb.'),
    );
    expect(Object.fromEntries(counted)).toEqual({ 'dynamodb.PutItem': 1, 'dynamodb.writeUnits': 1 });
    await platform.close();
  });

  it('finds the items that an earlier run has left', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'dynamodb-'));
    onTestFinished(() => {
      rmSync(dataDir, { recursive: true, force: true });
    });
    const first = await startPlatform(plainTable, { dataDir });
    const TableName = first.deployment.physicalId('Items');
    const item = {
      pk: { S: 'a' },
      sk: { N: '1' },
      expiresAt: { N: String(Math.floor(Date.now() / 1000) - 5) },
    };
    await new DynamoDBClient(first.client).send(new PutItemCommand({ TableName, Item: item }));
    await first.close();
    const second = await startPlatform(plainTable, { dataDir, clockSpeed: 600 });
    const client = new DynamoDBClient(second.client);
    const count = async () => (await client.send(new ScanCommand({ TableName }))).Count;
    await expect.poll(count, patiently).toBe(0);
    await second.close();
  });

  it('is in the description of the time to live', async () => {
    const platform = await startPlatform(plainTable);
    const TableName = platform.deployment.physicalId('Items');
    const describeTtl = new DescribeTimeToLiveCommand({ TableName });
    await expect(new DynamoDBClient(platform.client).send(describeTtl)).resolves.toMatchObject({
      TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' },
    });
    await platform.close();
  });
});
