import { authorize } from '../iam/authorize.ts';
import { readPolicy, type Statement } from '../iam/policy.ts';
import { asRecord } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';

export type PolicyVerdict = 'allow' | 'deny' | 'malformed';

/**
 * Evaluates the policy document of a Lambda authorizer for `execute-api:Invoke` on one ARN. An explicit Deny wins.
 * Without a matching Allow the verdict is a denial (apigateway-use-lambda-authorizer).
 */
export function evaluatePolicy(document: unknown, resourceArn: string): PolicyVerdict {
  const statements = readStatements(document);
  if (!statements || statements.length === 0) return 'malformed';
  const caller = { name: 'caller', arn: '', statements };
  return authorize(caller, 'execute-api:Invoke', resourceArn).allowed ? 'allow' : 'deny';
}

/** Where a Lambda authorizer finds the identity of the caller. If it is missing or empty, the answer is 401. */
export interface IdentitySource {
  readonly from: 'header' | 'querystring' | 'context' | 'stageVariables';
  readonly name: string;
}

/** The request, as identity sources read it. Header names ignore case. */
export interface IdentityInput {
  header(name: string): string | undefined;
  query(name: string): string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
  readonly stageVariables: Readonly<Record<string, string>>;
}

/** Reads `route.request.header.Auth`, as WebSocket APIs write it, and `$request.header.Auth`, as HTTP APIs do. */
export function parseIdentitySource(expression: string, logicalId: string): IdentitySource {
  const bare = expression.replace(/^route\./, '').replace(/^\$/, '');
  const match = /^(?:request\.(header|querystring)|(context|stageVariables))\.(.+)$/.exec(bare);
  const from = match?.[1] ?? match?.[2];
  const name = match?.[3];
  if (name === undefined || !isSource(from)) {
    throw new TemplateError(`${logicalId}: the identity source ${expression} does not run locally.`);
  }
  return { from, name };
}

/** All values; `undefined` if one of them is missing or empty. */
export function readIdentity(sources: readonly IdentitySource[], input: IdentityInput): string[] | undefined {
  const values: string[] = [];
  for (const source of sources) {
    const value = readSource(source, input);
    if (value === undefined || value === '') return undefined;
    values.push(value);
  }
  return values;
}

function readSource({ from, name }: IdentitySource, input: IdentityInput): string | undefined {
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

/** A malformed template stops the start. A malformed answer of a function must not stop the cloud. */
function readStatements(document: unknown): readonly Statement[] | undefined {
  try {
    return readPolicy(asRecord(document), 'authorizer');
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

function isSource(from: string | undefined): from is IdentitySource['from'] {
  return from === 'header' || from === 'querystring' || from === 'context' || from === 'stageVariables';
}
