import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Client, connect, Frame, Status, Subscription, SwitchboardError } from '../../client/index.ts';

interface Messages {
  'notice-push': { title: string };
  'order-placed': { sku: string };
}

interface Requests {
  'order-place': { content: { sku: string }; answer: { id: number } };
  'order-count': { content: undefined; answer: number };
}

type Typed = Client<Messages, Requests>;

/** Only the compiler reads these. */
declare const typed: Typed;
declare const loose: Client;

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('the types', () => {
  it('match this file: the compiler finds no fault in it', { timeout: 120_000 }, () => {
    const file = fileURLToPath(import.meta.url);
    const program = ts.createProgram([file], optionsOf(`${root}tsconfig.json`));
    const faults = program.getSemanticDiagnostics(program.getSourceFile(file));
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  });

  it('come only from the client and the part of the protocol without zod', { timeout: 120_000 }, () => {
    const program = ts.createProgram([`${root}client/index.ts`], optionsOf(`${root}client/tsconfig.json`));
    const files = program.getSourceFiles().filter((file) => !program.isSourceFileDefaultLibrary(file));
    const folders = files.map(({ fileName }) => fileName.slice(root.length).split('/')[0]);
    expect([...new Set(folders)].sort()).toEqual(['client', 'protocol']);
  });

  it('give a handler the content and the frame of its message', () => {
    const listen = () =>
      typed.on('notice-push', (content, frame) => {
        expectTypeOf(content).toEqualTypeOf<{ title: string }>();
        expectTypeOf(frame).toEqualTypeOf<Frame<{ title: string }>>();
      });
    expectTypeOf(listen).returns.toEqualTypeOf<() => void>();
  });

  it('know the events', () => {
    const listen = () => [
      typed.on('status', (status) => expectTypeOf(status).toEqualTypeOf<Status>()),
      typed.once('error', (error) => expectTypeOf(error).toEqualTypeOf<SwitchboardError>()),
      loose.on('lost', ({ from }) => expectTypeOf(from.offset).toBeNumber()),
      loose.on('*', (content) => expectTypeOf(content).toBeUnknown()),
    ];
    expectTypeOf(listen).returns.toEqualTypeOf<(() => void)[]>();
  });

  it('refuse messages and requests that the maps do not list', () => {
    const misuse = () => {
      // @ts-expect-error: no such message.
      typed.on('notice-pull', () => undefined);
      // @ts-expect-error: no such request.
      void typed.send('order-cancel', {});
      // @ts-expect-error: not its content.
      void typed.send('order-place', { sku: 7 });
      // @ts-expect-error: its content may not be left out.
      void typed.send('order-place');
      typed.on('status', (status) => {
        // @ts-expect-error: only a status of some kinds has a reason.
        expectTypeOf(status.reason).toBeObject();
      });
    };
    expectTypeOf(misuse).returns.toBeVoid();
  });

  it('give the answer of a request', () => {
    const send = () => typed.send('order-place', { sku: 'a' });
    expectTypeOf(send).returns.resolves.toEqualTypeOf<{ id: number }>();
    const count = () => typed.send('order-count');
    expectTypeOf(count).returns.resolves.toBeNumber();
  });

  it('accept any type with any content if no maps are given', () => {
    const send = () => loose.send('whatever', { anything: 1 });
    expectTypeOf(send).returns.resolves.toBeUnknown();
    const listen = () => loose.on('whatever', (content) => expectTypeOf(content).toBeUnknown());
    expectTypeOf(listen).returns.toEqualTypeOf<() => void>();
    expectTypeOf<typeof connect>().returns.toHaveProperty('status');
  });

  it('give a topic any of the messages', () => {
    type Content = { title: string } | { sku: string };
    const loop = () => typed.subscribe('orders.eu');
    expectTypeOf(loop).returns.toEqualTypeOf<Subscription<Content>>();
    const handle = () =>
      typed.subscribe('orders.eu', (content) => expectTypeOf(content).toEqualTypeOf<Content>());
    expectTypeOf(handle).returns.toBeCallableWith();
  });
});

function optionsOf(path: string): ts.CompilerOptions {
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as { config: unknown };
  return ts.parseJsonConfigFileContent(config, ts.sys, `${path}/..`, undefined, path).options;
}
