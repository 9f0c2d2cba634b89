import { describe, expect, it } from 'vitest';
import { failure, openStage, stage } from './harness/client-under-test.ts';

describe('send', () => {
  it('resolves to the content of the ack', async () => {
    const { client, connection } = await openStage();
    await expect(client.send('demo-message-send', { text: 'hi' })).resolves.toEqual({ echo: { text: 'hi' } });
    const frame = await connection.next('demo-message-send');
    expect(frame.id).toMatch(/^.{1,64}$/);
    await expect(client.request('order-count')).resolves.toEqual({ echo: null });
  });

  it('rejects with the stable code of the error frame', async () => {
    const { client, server } = await openStage();
    server.script = (frame, connection) => {
      connection.refuse(frame, 'unknown_type');
      return true;
    };
    const error = await failure(client.send('nonsense'));
    expect(error).toMatchObject({ name: 'SwitchboardError', code: 'unknown_type' });
    expect(error.message).toBe('refused as unknown_type');
  });

  it('gives each frame its own id', async () => {
    const { client, connection } = await openStage();
    await Promise.all([client.send('one'), client.send('one')]);
    const ids = [await connection.next('one'), await connection.next('one')].map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });

  it('rejects as timeout if no answer comes, and ignores texts that are not frames', async () => {
    const { client, server, clock } = await openStage();
    server.script = (_, connection) => {
      // API Gateway sends the first text when a function fails.
      connection.send(
        '{"message": "Internal server error", "connectionId": "a=", "requestId": "b"}',
        'pong',
        '7',
      );
      return true;
    };
    const sent = client.send('anything');
    clock.advance(30_000);
    expect((await failure(sent)).code).toBe('timeout');
    expect(client.status.state).toBe('open');
  });

  it('waits for a connection, and then sends the frames in order', async () => {
    const { client, server } = await stage();
    const answers = Promise.all([client.send('a', 1), client.send('b', 2), client.send('c', 3)]);
    const connection = await server.connections.next();
    await expect(answers).resolves.toEqual([{ echo: 1 }, { echo: 2 }, { echo: 3 }]);
    const types = connection.received.all.map(({ type }) => type);
    // `recover` restores the session first.
    expect(types).toEqual(['recover', 'a', 'b', 'c']);
  });

  it('rejects a frame above the queue limit, and a frame that waited too long', async () => {
    const { client, clock } = await stage({ queueLimit: 1, queueMaxAgeMs: 5000 });
    const waits = client.send('a');
    expect((await failure(client.send('b'))).code).toBe('queue_full');
    clock.advance(5000);
    expect((await failure(waits)).code).toBe('queue_expired');
  });

  it('rejects expired frames while attempts to connect fail', async () => {
    const { client, server, clock, become } = await openStage();
    server.refusal = 500;
    server.cut();
    await become('reconnecting');
    const late = failure(client.send('late'));
    for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 1000) {
      clock.advance(1000);
      await server.barrier();
    }
    expect((await late).code).toBe('queue_expired');
  });

  it('sends at most once: a frame without an answer rejects when the connection ends', async () => {
    const { client, server, connection } = await openStage();
    server.script = () => true;
    const sent = failure(client.send('order-place'));
    await connection.next('order-place');
    server.cut();
    expect((await sent).code).toBe('disconnected');
  });

  it('checks the connection after a timeout, and replaces a dead one', async () => {
    const { client, server, connection, clock, become } = await openStage();
    server.script = (_, self) => self === connection;
    const late = failure(client.send('order-place'));
    await connection.next('order-place');
    clock.advance(30_000);
    expect((await late).code).toBe('timeout');
    await connection.next('recover');
    await connection.next('recover');
    clock.advance(10_000);
    await become('reconnecting');
    clock.advance(500);
    await become('open');
    await client.send('order-place');
  });

  it('checks the connection only once for many timeouts, even if a message came meanwhile', async () => {
    const { client, server, connection, clock, become } = await openStage();
    server.script = (_, self) => self === connection;
    const lost = Array.from({ length: 20 }, () => failure(client.send('order-place')));
    await connection.next('order-place');
    await connection.next('recover');
    clock.advance(50);
    connection.send({ type: 'note', content: 1, messageId: 'm1' });
    await new Promise<void>((resolve) => client.once('*', () => resolve()));
    clock.advance(29_950);
    await Promise.all(lost);
    await connection.next('recover');
    expect(connection.received.all.filter(({ type }) => type === 'recover')).toEqual([]);
    clock.advance(10_000);
    await become('reconnecting');
  });

  it('rejects waiting and later frames as closed when the client is closed', async () => {
    const { client, server } = await openStage();
    server.script = () => true;
    const sent = failure(client.send('a'));
    await client.close();
    expect((await sent).code).toBe('closed');
    expect((await failure(client.send('b'))).code).toBe('closed');
  });
});

describe('handlers', () => {
  it('get the messages of their type, each once', async () => {
    const { client, connection } = await openStage();
    const heard: unknown[] = [];
    client.on('notice-push', (content, frame) => heard.push([content, frame.messageId]));
    const frame = { type: 'notice-push', content: { title: 'hi' }, messageId: 'm1' };
    connection.send(frame, frame, { type: 'other', content: 1 });
    await client.send('barrier');
    expect(heard).toEqual([[{ title: 'hi' }, 'm1']]);
  });

  it('are removed by off, by the function that on returns, and by once', async () => {
    const { client, connection } = await openStage();
    const heard: string[] = [];
    const off = () => heard.push('off');
    client.on('n', off);
    client.off('n', off);
    client.on('n', () => heard.push('returned'))();
    client.once('n', () => heard.push('once'));
    client.on('*', (content) => heard.push(`* ${String(content)}`));
    connection.send({ type: 'n', content: 1 }, { type: 'n', content: 2 });
    await client.send('barrier');
    expect(heard).toEqual(['once', '* 1', '* 2']);
  });

  it('get one event after the other, even if a handler causes the next one', async () => {
    const { client, become } = await stage();
    const heard: string[] = [];
    client.on('status', ({ state }) => {
      if (state === 'open') void client.close();
    });
    client.once('status', ({ state }) => heard.push(`once ${state}`));
    client.on('status', ({ state }) => heard.push(state));
    await become('closed');
    expect(heard).toEqual(['once open', 'open', 'closed']);
  });

  it('get nothing once the client is closed, not even held messages', async () => {
    const { client, server, connection } = await openStage();
    const heard: unknown[] = [];
    client.on('note', (content) => {
      heard.push(content);
      void client.close();
    });
    client.on('*', (content) => heard.push(content));
    client.on('error', ({ code }) => heard.push(code));
    const [first, second] = [1, 2].map((content) => server.logs.append('user:member:42', 'note', content));
    connection.send(second ?? {}, first ?? {});
    await connection.closed;
    expect(heard).toEqual([1]);
  });

  it('that another handler removes do not get the current message', async () => {
    const { client, connection } = await openStage();
    const heard: unknown[] = [];
    client.on('note', () => end());
    const end = client.on('note', (content) => heard.push(content));
    connection.send({ type: 'note', content: 1, messageId: 'm1' });
    await client.send('barrier');
    expect(heard).toEqual([]);
  });

  it('of an event do not get messages whose type is the name of the event', async () => {
    const { client, connection, statuses } = await openStage();
    connection.send({ type: 'status', content: 'forged' });
    await client.send('barrier');
    expect(statuses.all).toEqual([]);
  });

  it('of error get error frames that answer no request', async () => {
    const { connection, errors } = await openStage();
    connection.send({ type: 'error', content: { code: 'rate_limited', message: 'slower' } });
    expect((await errors.next()).code).toBe('rate_limited');
  });
});
