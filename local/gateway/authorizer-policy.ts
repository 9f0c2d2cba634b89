import { authorize } from '../iam/authorize.ts';
import { asRecord } from '../json.ts';
import { readPolicy, type Statement } from '../iam/policy.ts';
import { TemplateError } from '../template/template-error.ts';

export type PolicyVerdict = 'allow' | 'deny' | 'malformed';

/**
 * Evaluates the policy document that a Lambda authorizer returned, for `execute-api:Invoke` on one ARN: an explicit Deny
 * wins, and without a matching Allow the answer is a denial (apigateway-use-lambda-authorizer).
 */
export function evaluatePolicy(document: unknown, resourceArn: string): PolicyVerdict {
  const statements = read(document);
  if (!statements || statements.length === 0) return 'malformed';
  const caller = { name: 'caller', arn: '', statements };
  return authorize(caller, 'execute-api:Invoke', resourceArn).allowed ? 'allow' : 'deny';
}

/** A function's answer cannot stop the cloud as a template can: what is no policy is `undefined` here. */
function read(document: unknown): readonly Statement[] | undefined {
  try {
    return readPolicy(asRecord(document), 'authorizer');
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}
