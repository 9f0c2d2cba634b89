import { createServer } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { Faults } from '../../../local/faults/faults.ts';
import type { FaultSettings } from '../../../local/faults/settings.ts';
import { createMeter } from '../../../local/meter.ts';
import { defaultLimits, WebSocketConnection } from '../../../local/websocket/connection.ts';
import type { Ending } from '../../../local/websocket/events.ts';
import { Client } from '../harness/client.ts';
import { listen } from '../harness/listen.ts';
import { manualClock } from '../harness/manual-clock.ts';
import { Queue } from '../harness/queue.ts';

const minute = 60_000;
const goingAway = { code: 1001, reason: 'Going away' };

/** One connection over a real socket, with the limits of AWS, on a clock that the test moves. */
async function open(given: Partial<FaultSettings> = {}) {
  const clock = manualClock();
  const meter = createMeter();
  const messages = new Queue<string>();
  const endings = new Queue<Ending>();
  const connections = new Queue<WebSocketConnection>();
  const faults = new Faults(given, clock, meter);
  const webSocketServer = new WebSocketServer({ noServer: true });
  const server = createServer().on('upgrade', (request, socket, head) => {
    webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      if (!(socket instanceof Socket)) throw new Error('An upgrade over TCP has a net.Socket.');
      const facts = {
        apiId: 'api',
        stage: 'live',
        domainName: 'localhost',
        connectionId: 'id',
        connectedAt: 0,
        sourceIp: '127.0.0.1',
        userAgent: undefined,
      };
      const gateway = { clock, meter, faults, now: () => clock.now() };
      const events = {
        message: (text: string) => {
          messages.push(text);
        },
        closed: (ending: Ending) => {
          endings.push(ending);
        },
      };
      connections.push(
        new WebSocketConnection({
          gateway,
          socket: webSocket,
          transport: socket,
          facts,
          authorizer: undefined,
          limits: defaultLimits,
          events,
        }),
      );
    });
  });
  const client = new Client(`ws://127.0.0.1:${String(await listen(server))}`);
  onTestFinished(() => {
    client.socket.terminate();
    server.close();
  });
  const connection = await connections.next();
  await client.open();
  return { clock, meter, messages, endings, client, connection };
}

describe('the idle timeout (apigateway-execution-service-websocket-limits-table)', () => {
  it('closes a connection with 1001 after 10 minutes without a message, and not before', async () => {
    const { clock, connection, client, endings } = await open();
    clock.advance(10 * minute - 1);
    expect(connection.isOver()).toBe(false);
    clock.advance(1);
    expect(await client.closed).toEqual(goingAway);
    expect(await endings.next()).toEqual(goingAway);
  });

  it('starts anew with each message of the client', async () => {
    const { clock, connection, client, messages } = await open();
    clock.advance(9 * minute);
    client.send('hello');
    await messages.next();
    clock.advance(10 * minute - 1);
    expect(connection.isOver()).toBe(false);
    clock.advance(1);
    expect(await client.closed).toEqual(goingAway);
  });

  it('starts anew with each message of the server', async () => {
    const { clock, connection, client } = await open();
    clock.advance(9 * minute);
    expect(connection.send('hello')).toBe('sent');
    clock.advance(10 * minute - 1);
    expect(connection.isOver()).toBe(false);
    clock.advance(1);
    expect(await client.closed).toEqual(goingAway);
  });

  it('does not start anew with a WebSocket ping', async () => {
    const { clock, client } = await open();
    clock.advance(9 * minute);
    const pong = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping();
    await pong;
    clock.advance(minute);
    expect(await client.closed).toEqual(goingAway);
  });
});

it('a connection closes with 1001 after 2 hours, however active it is', async () => {
  const { clock, connection, client } = await open();
  for (let passed = 0; passed < 117; passed += 9) {
    clock.advance(9 * minute);
    expect(connection.send('hello')).toBe('sent');
  }
  clock.advance(3 * minute - 1);
  expect(connection.isOver()).toBe(false);
  clock.advance(1);
  expect(connection.isOver()).toBe(true);
  expect(await client.closed).toEqual(goingAway);
});

it('a connection sends nothing more when the queue of a slow client is full', async () => {
  const { connection } = await open({ slowConsumer: 1 });
  for (let index = 0; index < 256; index += 1) expect(connection.send('x')).toBe('sent');
  expect(connection.send('x')).toBe('full');
});

it('a connection knows the time of the last message in either direction', async () => {
  const { clock, connection, client, messages } = await open();
  clock.advance(1000);
  connection.send('hello');
  expect(connection.lastActiveAt).toBe(1000);
  clock.advance(1000);
  client.send('hello');
  await messages.next();
  expect(connection.lastActiveAt).toBe(2000);
});

it('the meter counts each started minute of a connection', async () => {
  const { clock, meter } = await open();
  clock.advance(2 * minute);
  expect(meter.snapshot()['websocket.connectionMinutes']).toBe(3);
});
