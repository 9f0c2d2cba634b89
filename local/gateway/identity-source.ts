import { TemplateError } from '../template/template-error.ts';

/** Where a Lambda authorizer finds the caller's identity: a missing or empty one is a 401 without any invocation. */
export interface IdentitySource {
  readonly from: 'header' | 'querystring' | 'context' | 'stageVariables';
  readonly name: string;
}

/** What identity sources are read from. Header names are looked up without regard to case. */
export interface IdentityInput {
  header(name: string): string | undefined;
  query(name: string): string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
  readonly stageVariables: Readonly<Record<string, string>>;
}

/** Both spellings: `route.request.header.Auth` of WebSocket APIs and `$request.header.Auth` of HTTP APIs. */
export function parseIdentitySource(expression: string, logicalId: string): IdentitySource {
  const bare = expression.replace(/^route\./, '').replace(/^\$/, '');
  const match = /^(?:request\.(header|querystring)|(context|stageVariables))\.(.+)$/.exec(bare);
  const from = match?.[1] ?? match?.[2];
  const name = match?.[3];
  if (name === undefined || !isSource(from)) {
    throw new TemplateError(`${logicalId}: the identity source ${expression} is not understood`);
  }
  return { from, name };
}

/** All values, or `undefined` where one of them is missing or empty. */
export function readIdentity(sources: readonly IdentitySource[], input: IdentityInput): string[] | undefined {
  const values: string[] = [];
  for (const source of sources) {
    const value = read(source, input);
    if (value === undefined || value === '') return undefined;
    values.push(value);
  }
  return values;
}

function read({ from, name }: IdentitySource, input: IdentityInput): string | undefined {
  if (from === 'header') return input.header(name);
  if (from === 'querystring') return input.query(name);
  if (from === 'stageVariables') return input.stageVariables[name];
  let value: unknown = input.context;
  for (const field of name.split('.')) {
    value =
      typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(field) : undefined;
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function isSource(from: string | undefined): from is IdentitySource['from'] {
  return from === 'header' || from === 'querystring' || from === 'context' || from === 'stageVariables';
}
