import { type Condition, type ContextKey, leadingKeys, type PatternSet, type Statement } from './policy.ts';

export type { Statement } from './policy.ts';

/** Who makes a call: a function in its role, or the developer. */
export interface Principal {
  readonly name: string;
  readonly arn: string;
  readonly statements: readonly Statement[];
  /** Gets each call that was evaluated. */
  readonly observe?: (call: EvaluatedCall) => void;
}

/** A call of a principal, with the statements that match it. */
export interface EvaluatedCall {
  readonly action: string;
  readonly resource: string;
  readonly statements: readonly Statement[];
  readonly allowed: boolean;
}

/** `message` has the words of AWS, with principal, action and resource. */
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly message: string };

/**
 * Identity-based evaluation: an explicit deny wins, then any allow, else deny. `partitionKeys` are those that a call of
 * DynamoDB names. If they are unknown, a statement about them allows nothing and denies everything.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function authorize(
  principal: Principal,
  action: string,
  resource: string,
  partitionKeys?: readonly string[],
): Decision {
  const matching = principal.statements.filter(
    (statement) =>
      covers(statement, action, resource) &&
      statement.conditions.every((condition) =>
        condition.key === leadingKeys && partitionKeys === undefined
          ? statement.effect === 'Deny'
          : holds(condition, contextValues(condition.key, principal, resource, partitionKeys)),
      ),
  );
  const isDenied = matching.some(({ effect }) => effect === 'Deny');
  const allowed = !isDenied && matching.length > 0;
  principal.observe?.({ action, resource, statements: matching, allowed });
  if (allowed) return { allowed };
  if (isDenied) {
    return denied(principal, action, resource, 'with an explicit deny in an identity-based policy');
  }
  return denied(principal, action, resource, `because no identity-based policy allows the ${action} action`);
}

/** The wildcards of IAM: `*` is any text, `?` is one character. */
export function matchesPattern(pattern: string, text: string): boolean {
  // Two pointers that return to the last star. A regular expression could take exponential time.
  let at = 0;
  let position = 0;
  let star = -1;
  let afterStar = 0;
  while (position < text.length) {
    if (pattern[at] === '*') {
      star = at++;
      afterStar = position;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[position])) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++afterStar;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

function covers({ actions, resources }: Statement, action: string, resource: string): boolean {
  return (
    matchesSet(actions, action.toLowerCase(), (pattern) => pattern.toLowerCase()) &&
    matchesSet(resources, resource, (pattern) => pattern)
  );
}

function matchesSet(set: PatternSet, text: string, normalize: (pattern: string) => string): boolean {
  return set.patterns.some((pattern) => matchesPattern(normalize(pattern), text)) !== set.except;
}

/** Whether the condition accepts all of these values. */
function holds({ operator, values }: Condition, actual: readonly string[]): boolean {
  return actual.every((each) =>
    values.some((value) => {
      switch (operator) {
        case 'StringEquals':
          return value === each;
        case 'Bool':
          return value.toLowerCase() === each;
        case 'StringLike':
        case 'ArnEquals':
        case 'ArnLike':
          return matchesPattern(value, each);
      }
    }),
  );
}

function contextValues(
  key: ContextKey,
  principal: Principal,
  resource: string,
  partitionKeys: readonly string[] = [],
): readonly string[] {
  switch (key) {
    case 'aws:PrincipalAccount':
      return [principal.arn.split(':')[4] ?? ''];
    case 'aws:PrincipalArn':
      // For a role session, the value is the ARN of the role.
      return [
        principal.arn.replace(/^arn:aws:sts::(\d+):assumed-role\/([^/]+)\/.*$/, 'arn:aws:iam::$1:role/$2'),
      ];
    case 'aws:RequestedRegion':
      return [resource.split(':')[3] ?? ''];
    case 'aws:SecureTransport':
      // Every AWS endpoint has TLS, and loopback stands for it.
      return ['true'];
    case leadingKeys:
      return partitionKeys;
  }
}

function denied(principal: Principal, action: string, resource: string, reason: string): Decision {
  return {
    allowed: false,
    message: `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
  };
}
