import { rm } from 'node:fs/promises';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { TemplateError } from '../../local/index.ts';
import { changedAssembly, type Template, withoutAction } from './changed-assembly.ts';
import { refusalStatus } from './client.ts';
import { startStack, type Stack } from './stack.ts';

const assemblies: string[] = [];
afterAll(() => Promise.all(assemblies.map((folder) => rm(folder, { recursive: true, force: true }))));

async function changed(change: (template: Template) => void): Promise<string> {
  const assembly = await changedAssembly(change);
  assemblies.push(assembly);
  return assembly;
}

async function start(assembly: string): Promise<Stack> {
  const stack = await startStack({ assembly });
  onTestFinished(() => stack.close());
  return stack;
}

describe('a function whose policy lacks an action', () => {
  it('is denied the action as on AWS, and the log names function, action and resource', async () => {
    const assembly = await changed((template) => {
      withoutAction(template, 'Connect', 'dynamodb:PutItem');
    });
    const stack = await start(assembly);
    expect(await refusalStatus(await stack.webSocketUrl({ user: '1' }))).toBe(500);
    const denied = () => stack.lines.find((line) => line.includes('AccessDenied'));
    await expect
      .poll(denied, { timeout: 15_000 })
      .toMatch(/Connect.* is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:/);
  });

  it('still opens connections if it may not send to the queue of checks, and says so', async () => {
    const assembly = await changed((template) => {
      withoutAction(template, 'Connect', 'sqs:SendMessage');
    });
    const stack = await start(assembly);
    const client = await stack.connect({ user: '1' });
    await client.expectSilence();
    await expect
      .poll(() => stack.lines.join('\n'), { timeout: 15_000 })
      .toMatch(/expiry is not watched[^]*sqs:SendMessage|sqs:SendMessage[^]*expiry is not watched/);
  });

  it('is also denied the callback API', async () => {
    const assembly = await changed((template) => {
      withoutAction(template, 'Publish', 'execute-api:ManageConnections');
    });
    const stack = await start(assembly);
    const client = await stack.connect({ user: '1' });
    const { body } = await stack.publish({ to: 'user:member:1', type: 'x', content: 1 });
    expect(body).toMatchObject({ delivered: 0, failed: 1 });
    await expect
      .poll(() => stack.lines.join('\n'), { timeout: 15_000 })
      .toMatch(/execute-api:ManageConnections/);
    await client.expectSilence();
  });
});

describe('a template with a resource that does not run here', () => {
  it('stops a strict start with an error that names its logical id and type', async () => {
    const assembly = await changed(({ Resources }) => {
      Resources.Mystery = { Type: 'AWS::Neptune::DBCluster' };
    });
    const start = startStack({ assembly, strict: true });
    await expect(start).rejects.toBeInstanceOf(TemplateError);
    await expect(start).rejects.toThrow(/Mystery.*AWS::Neptune::DBCluster/);
  });
});
