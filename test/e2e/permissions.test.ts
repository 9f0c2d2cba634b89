import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TemplateError } from '../../local/index.ts';
import { refusalStatus } from './client.ts';
import { startStack } from './stack.ts';

interface Template {
  readonly Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
}

interface Statement {
  Action: string | string[];
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-permissions-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The stack's assembly with its template changed. */
async function changedAssembly(name: string, change: (template: Template) => void): Promise<string> {
  const assembly = path.join(folder, name);
  await cp(inject('assembly'), assembly, { recursive: true });
  const file = (await readdir(assembly)).find((entry) => entry.endsWith('.template.json')) ?? '';
  const template = JSON.parse(await readFile(path.join(assembly, file), 'utf8')) as Template;
  change(template);
  await writeFile(path.join(assembly, file), JSON.stringify(template));
  return assembly;
}

function withoutAction(template: Template, policyOf: string, action: string): void {
  let removed = 0;
  for (const [logicalId, { Type, Properties }] of Object.entries(template.Resources)) {
    if (Type !== 'AWS::IAM::Policy' || !logicalId.includes(policyOf)) continue;
    const { Statement } = Properties?.PolicyDocument as { Statement: Statement[] };
    for (const statement of Statement) {
      const actions = [statement.Action].flat();
      statement.Action = actions.filter((each) => each !== action);
      removed += actions.length - statement.Action.length;
    }
    (Properties?.PolicyDocument as { Statement: Statement[] }).Statement = Statement.filter(
      ({ Action }) => Action.length > 0,
    );
  }
  expect(removed).toBe(1);
}

describe('a function whose policy lacks an action', () => {
  it('is denied it as on AWS, by function, action and resource', async () => {
    const assembly = await changedAssembly('no-put', (template) => {
      withoutAction(template, 'Connect', 'dynamodb:PutItem');
    });
    const stack = await startStack({ assembly });
    expect(await refusalStatus(await stack.webSocketUrl({ user: '1' }))).toBe(500);
    const denied = stack.lines.find((line) => line.includes('AccessDenied'));
    expect(denied).toMatch(
      /Connect.* is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:/,
    );
    await stack.close();
  });

  it('is denied the callback API too', async () => {
    const assembly = await changedAssembly('no-post', (template) => {
      withoutAction(template, 'Publish', 'execute-api:ManageConnections');
    });
    const stack = await startStack({ assembly });
    const client = await stack.connect({ user: '1' });
    const { body } = await stack.publish({ to: 'user:member:1', type: 'x', content: 1 });
    expect(body).toMatchObject({ delivered: 0, failed: 1 });
    expect(stack.lines.join('\n')).toMatch(/execute-api:ManageConnections/);
    await client.expectSilence();
    await stack.close();
  });
});

describe('a template with a resource that cannot be run', () => {
  it('stops the start with its logical id and type', async () => {
    const assembly = await changedAssembly('unknown-type', ({ Resources }) => {
      Resources.Mystery = { Type: 'AWS::Neptune::DBCluster' };
    });
    const start = startStack({ assembly });
    await expect(start).rejects.toBeInstanceOf(TemplateError);
    await expect(start).rejects.toThrow(/Mystery.*AWS::Neptune::DBCluster/);
  });
});
