import { describe, expect, it } from 'vitest';
import { createLog, nameForLog } from '../../local/log.ts';
import { httpStack } from './harness/http-stack.ts';
import { runCloud } from './harness/running-cloud.ts';
import { allow, webSocketStack } from './harness/websocket-stack.ts';

describe('the log', () => {
  it('has one line for each request, without its query, its token or its content', async () => {
    const refuse = `return { body: '{"type":"error","content":{"code":"bad_content","message":"secret-answer"}}' };`;
    const routes = { $connect: {}, $default: { body: refuse, returnsResponse: true }, $disconnect: {} };
    const authorizer = { body: allow() };
    const cloud = await runCloud({
      ...httpStack({ routes: { 'POST /hello': {} } }),
      ...webSocketStack({ routes, authorizer }),
    });
    await fetch(`${cloud.url}/hello?key=secret-query`, { method: 'POST', body: 'secret-body' });
    const client = await cloud.connect('?token=secret-token').open();
    client.send({ type: 'message-send', content: 'secret-message' });
    await client.frames.next();
    const { requestContext } = await cloud.events('Default').next();
    client.socket.close(4000, 'secret-reason');
    await cloud.events('Disconnect').next();
    await cloud.close();
    const connectionId = String(requestContext.connectionId);
    // The functions of these tests print their events, and the log shows that output unchanged.
    const lines = cloud.lines
      .filter((line) => !line.includes('EVENT'))
      .map((line) => line.replace(/\d+ ms$/, 'N ms'));
    expect(lines).toEqual([
      'POST /hello 200 N ms',
      `CONNECT live ${connectionId} 101 N ms`,
      `MESSAGE $default message-send ${connectionId} error bad_content N ms`,
      `DISCONNECT live ${connectionId} 4000 N ms`,
    ]);
  });

  const withAnswer = (body: string) => ({ $connect: {}, $default: { body, returnsResponse: true } });

  it.each([
    ['the type of the answer', `return { body: '{"type":"pong"}' };`, 'pong'],
    ['a code beside the type', `return { body: '{"type":"error","code":"busy"}' };`, 'error busy'],
    ['ok for an answer without a type', `return { body: '{"code":"busy"}' };`, 'ok'],
    ['ok for an answer that is not JSON', `return { body: 'pong' };`, 'ok'],
    ['ok if there is no answer', 'return {};', 'ok'],
    ['? for a type that is no name', `return { body: '{"type":"two words"}' };`, '?'],
  ])('shows %s', async (_what, body, status) => {
    const cloud = await runCloud(webSocketStack({ routes: withAnswer(body) }));
    const client = await cloud.connect().open();
    client.send({ type: 'ask' });
    await cloud.events('Default').next();
    await cloud.close();
    expect(cloud.lines.find((line) => line.startsWith('MESSAGE'))?.replace(/[^ ]{16} /, 'ID ')).toMatch(
      new RegExp(`^MESSAGE \\$default ask ID ${status.replace('?', '\\?')} \\d+ ms$`),
    );
  });

  it.each([
    ['a name', 'demo-message-send', 'demo-message-send'],
    ['a name of 64 characters', 'x'.repeat(64), 'x'.repeat(64)],
    ['a longer name', 'x'.repeat(65), '?'],
    ['no value', '', '-'],
    ['a line break', 'a\nGET /forged 200 1 ms', '?'],
    ['an escape sequence', '\u001b[2J', '?'],
    ['an object', '{"secret":1}', '?'],
    ['a token', 'eyJhbGciOiJIUzI1NiJ9', '?'],
    ['a ticket', `swt_${'A'.repeat(43)}`, '?'],
  ])('shows %s of a frame safely', (_what, value, shown) => {
    expect(nameForLog(value)).toBe(shown);
  });

  it('keeps the detail of a request on one line, without control characters', () => {
    const lines: string[] = [];
    createLog(
      () => 0,
      (line) => lines.push(line),
    ).request({
      what: 'GET /',
      status: 500,
      ms: 1,
      detail: 'a\nb\u001b[2Jc',
    });
    expect(lines).toEqual(['GET / 500 1 ms  a b [2Jc']);
  });

  it.each(['eyJh.eyJz.sig', 'swt_AbC-d_9'])(
    'does not show %s, which a client puts into the path',
    (secret) => {
      const lines: string[] = [];
      createLog(
        () => 0,
        (line) => lines.push(line),
      ).request({ what: `GET /${secret}`, status: 404, ms: 1 });
      expect(lines).toEqual(['GET /… 404 1 ms']);
    },
  );
});
