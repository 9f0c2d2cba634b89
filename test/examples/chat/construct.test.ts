import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, it, onTestFinished } from 'vitest';
import { Chat } from '../../../examples/chat/chat.ts';
import { SwitchboardStack } from '../../../lib/switchboard-stack.ts';
import { createCheckedApp, graveDiagnostics, violations } from '../../infrastructure/checks.ts';

it('adds one table, which the function of listeners may read and write and nobody may empty', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-chat-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const app = createCheckedApp(join(folder, 'cdk.out'));
  const stack = new SwitchboardStack(app, 'Switchboard', {});
  const chat = new Chat(stack, 'Chat', { realtime: stack.switchboard });
  expect(violations(app)).toEqual([]);
  expect(graveDiagnostics(join(app.outdir, 'Switchboard.template.json'))).toEqual([]);
  const template = Template.fromStack(stack);
  const { Ref: table } = stack.resolve(chat.table.tableName) as { Ref: string };
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { CHAT_TABLE: { Ref: table } } },
  });
  const statements = Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    ({ Properties }) =>
      (Properties as { PolicyDocument: { Statement: { Action: string[]; Resource: unknown }[] } })
        .PolicyDocument.Statement,
  );
  const own = statements.filter(({ Resource }) => JSON.stringify(Resource).includes(table));
  expect(own.map(({ Action }) => Action)).toEqual([
    ['BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'].map((name) => `dynamodb:${name}`),
  ]);
});
