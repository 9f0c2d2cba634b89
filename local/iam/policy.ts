import { asRecord, asTexts, asList, isRecord, toText } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';

/** One statement of an IAM policy. Patterns may hold `*` and `?`. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: PatternSet;
  readonly resources: PatternSet;
  readonly conditions: readonly Condition[];
}

/** `except` marks the forms `NotAction` and `NotResource`. */
export interface PatternSet {
  readonly patterns: readonly string[];
  readonly except: boolean;
}

export interface Condition {
  readonly operator: ConditionOperator;
  readonly key: ContextKey;
  readonly values: readonly string[];
}

/** The facts that this cloud knows about each call: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
export const contextKeys = [
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:RequestedRegion',
  'aws:SecureTransport',
] as const;

/**
 * The partition keys that a call of DynamoDB names. A policy compares all of them, with `ForAllValues`.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export const leadingKeys = 'dynamodb:LeadingKeys';

export type ContextKey = (typeof contextKeys)[number] | typeof leadingKeys;

export const conditionOperators = ['StringEquals', 'StringLike', 'ArnEquals', 'ArnLike', 'Bool'] as const;
export type ConditionOperator = (typeof conditionOperators)[number];

/**
 * Reads a policy document. Throws if it cannot evaluate a condition: without it, the policy could allow what AWS denies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
 */
export function readPolicy(document: unknown, where: string): readonly Statement[] {
  return asList(asRecord(document).Statement).map((entry) => readStatement(entry, where));
}

function readStatement(entry: unknown, where: string): Statement {
  const statement = asRecord(entry);
  const effect = statement.Effect;
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw new TemplateError(`${where}: a policy statement has the effect ${toText(effect)}.`);
  }
  return {
    effect,
    actions: patternSet(statement.Action, statement.NotAction, `${where}: a policy statement has no action.`),
    resources: patternSet(
      statement.Resource,
      statement.NotResource,
      `${where}: a policy statement has no resource.`,
    ),
    conditions: Object.entries(asRecord(statement.Condition)).flatMap(([operator, keys]) =>
      readConditions(operator, keys, where),
    ),
  };
}

function patternSet(given: unknown, excepted: unknown, complaint: string): PatternSet {
  const except = given === undefined;
  const patterns = asTexts(except ? excepted : given);
  if (patterns.length === 0) throw new TemplateError(complaint);
  return { patterns, except };
}

function readConditions(operatorName: string, keys: unknown, where: string): readonly Condition[] {
  const forAll = /^ForAllValues:/;
  const operator = conditionOperators.find((known) => known === operatorName.replace(forAll, ''));
  const knownKeys = forAll.test(operatorName) ? ([leadingKeys] as const) : contextKeys;
  if (operator === undefined || !isRecord(keys)) {
    throw new TemplateError(`${where}: the condition operator ${operatorName} cannot be evaluated here.`);
  }
  return Object.entries(keys).map(([name, values]) => {
    // The names of condition keys ignore case. Their values do not.
    const key: ContextKey | undefined = knownKeys.find((known) => known.toLowerCase() === name.toLowerCase());
    if (key === undefined) {
      throw new TemplateError(`${where}: the condition key ${name} cannot be evaluated here.`);
    }
    return { operator, key, values: asList(values).map((value) => toText(value)) };
  });
}
