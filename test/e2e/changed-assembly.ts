import { cp, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, inject } from 'vitest';

export interface Template {
  readonly Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
}

interface Statement {
  Action: string | string[];
}

/** Copies the stack's assembly to a new folder, and changes the template there. */
export async function changedAssembly(change: (template: Template) => void): Promise<string> {
  const assembly = await mkdtemp(path.join(os.tmpdir(), 'switchboard-changed-'));
  await cp(inject('assembly'), assembly, { recursive: true });
  const file = (await readdir(assembly)).find((entry) => entry.endsWith('.template.json')) ?? '';
  const template = JSON.parse(await readFile(path.join(assembly, file), 'utf8')) as Template;
  change(template);
  await writeFile(path.join(assembly, file), JSON.stringify(template));
  return assembly;
}

/** Sets an environment variable in all functions that have it. `functionId` limits them by a part of the logical id. */
export function setVariable(template: Template, name: string, value: unknown, functionId = ''): void {
  for (const [logicalId, { Type, Properties }] of Object.entries(template.Resources)) {
    if (Type !== 'AWS::Lambda::Function' || !logicalId.includes(functionId)) continue;
    const { Variables } = Properties?.Environment as { Variables: Record<string, unknown> };
    if (name in Variables) Variables[name] = value;
  }
}

/** Gives the parameter of the token another name, as the setting `tokenParameter` does. */
export function setTokenParameter(template: Template, name: string): void {
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type === 'AWS::ApiGatewayV2::Authorizer' && Properties?.AuthorizerType === 'REQUEST') {
      const [source] = Properties.IdentitySource as string[];
      if (source === 'route.request.querystring.token')
        Properties.IdentitySource = [`route.request.querystring.${name}`];
    }
    if (Type !== 'AWS::Lambda::Function') continue;
    const { Variables } = Properties?.Environment as { Variables: Record<string, unknown> };
    const { TOKENS } = Variables;
    if (TOKENS === undefined) continue;
    const text = JSON.stringify(TOKENS);
    const renamed = text.replace('parameter\\":\\"token\\"', `parameter\\":\\"${name}\\"`);
    expect(renamed).not.toBe(text);
    Variables.TOKENS = JSON.parse(renamed);
  }
}

/** Removes a route of the HTTP API. */
export function removeRoute({ Resources }: Template, key: string): void {
  const [logicalId = ''] = Object.entries(Resources).find(([, it]) => it.Properties?.RouteKey === key) ?? [];
  expect(Resources).toHaveProperty(logicalId);
  Reflect.deleteProperty(Resources, logicalId);
}

/** Removes one action from the policy of a function. */
export function withoutAction(template: Template, policyOf: string, action: string): void {
  let removed = 0;
  for (const [logicalId, { Type, Properties }] of Object.entries(template.Resources)) {
    if (Type !== 'AWS::IAM::Policy' || !logicalId.includes(policyOf)) continue;
    const document = Properties?.PolicyDocument as { Statement: Statement[] };
    for (const statement of document.Statement) {
      const actions = [statement.Action].flat();
      statement.Action = actions.filter((each) => each !== action);
      removed += actions.length - statement.Action.length;
    }
    document.Statement = document.Statement.filter(({ Action }) => Action.length > 0);
  }
  expect(removed).toBeGreaterThan(0);
}

/** Lifts the limits of senders, for tests that send faster than a user may. */
export function liftRates(template: Template): void {
  const unlimited = JSON.stringify({ rateLimit: 1_000_000, burstLimit: 1_000_000 });
  for (const name of ['CONNECTION_RATE', 'USER_RATE']) setVariable(template, name, unlimited);
}
