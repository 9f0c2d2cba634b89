import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorize, matchesPattern, type Principal } from '../../../local/iam/authorize.ts';
import { readPolicy } from '../../../local/iam/policy.ts';

const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/Sessions';
const arn = 'arn:aws:sts::000000000000:assumed-role/Role/publish';

function principal(...statements: readonly object[]): Principal {
  return { name: 'publish', arn, statements: readPolicy({ Statement: statements }, 'Policy') };
}

function allows(statements: readonly object[], action = 'dynamodb:PutItem', resource = table): boolean {
  return authorize(principal(...statements), action, resource).allowed;
}

const allowAll = { Effect: 'Allow', Action: '*', Resource: '*' };

describe('IAM', () => {
  it('denies a call that no statement allows, with the message of AWS', () => {
    expect(authorize(principal(), 'dynamodb:PutItem', table)).toEqual({
      allowed: false,
      message:
        `User: ${arn} is not authorized to perform: dynamodb:PutItem on resource: ${table} ` +
        'because no identity-based policy allows the dynamodb:PutItem action',
    });
  });

  it('lets an explicit deny override any allow', () => {
    const deny = { Effect: 'Deny', Action: 'dynamodb:Put*', Resource: table };
    expect(allows([allowAll, deny])).toBe(false);
    expect(allows([allowAll, deny], 'dynamodb:GetItem')).toBe(true);
    expect(authorize(principal(allowAll, deny), 'dynamodb:PutItem', table)).toMatchObject({
      message: expect.stringContaining('with an explicit deny in an identity-based policy') as string,
    });
  });

  it('accepts one action or a list, in upper or lower case, with wildcards', () => {
    const allow = (Action: unknown) => allows([{ Effect: 'Allow', Action, Resource: '*' }]);
    expect(
      ['dynamodb:PutItem', 'DYNAMODB:putitem', 'dynamodb:Put????', 'dynamodb:*', ['s3:*', '*']].map(allow),
    ).not.toContain(false);
    expect(['dynamodb:Put???', 'dynamodb:GetItem', 'sqs:*'].map(allow)).not.toContain(true);
  });

  it('compares resources case-sensitively, and a wildcard matches slashes', () => {
    const allow = (Resource: unknown) =>
      allows([{ Effect: 'Allow', Action: '*', Resource }], 'a:B', `${table}/index/byUser`);
    expect([`${table}/index/*`, `${table}*`, `${table}/index/by????`].map(allow)).not.toContain(false);
    expect([table, `${table}/index/BYUSER`].map(allow)).not.toContain(true);
  });

  it('understands NotAction and NotResource', () => {
    expect(allows([{ Effect: 'Allow', NotAction: 'sqs:*', Resource: '*' }])).toBe(true);
    expect(allows([{ Effect: 'Allow', NotAction: 'dynamodb:*', Resource: '*' }])).toBe(false);
    expect(allows([{ Effect: 'Allow', Action: '*', NotResource: table }])).toBe(false);
    expect(allows([{ Effect: 'Allow', Action: '*', NotResource: `${table}/index/*` }])).toBe(true);
  });

  it('evaluates the simple conditions', () => {
    const when = (Condition: object) => allows([{ ...allowAll, Condition }]);
    expect(when({ StringEquals: { 'aws:PrincipalAccount': '000000000000' } })).toBe(true);
    expect(when({ StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1'] } })).toBe(true);
    expect(when({ StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } })).toBe(false);
    expect(when({ ArnLike: { 'aws:principalarn': 'arn:aws:iam::*:role/Role' } })).toBe(true);
    expect(when({ Bool: { 'aws:SecureTransport': 'false' } })).toBe(false);
  });

  it('compares all partition keys of a call with a condition of ForAllValues', () => {
    const when = (Effect: string, keys?: readonly string[]) => {
      const condition = { 'ForAllValues:StringLike': { 'dynamodb:leadingkeys': ['TICKET#*', 'x'] } };
      const statements = [
        ...(Effect === 'Deny' ? [allowAll] : []),
        { ...allowAll, Effect, Condition: condition },
      ];
      return authorize(principal(...statements), 'dynamodb:PutItem', table, keys).allowed;
    };
    expect([['TICKET#1'], ['x'], ['TICKET#1', 'x']].map((keys) => when('Allow', keys))).not.toContain(false);
    expect([['CHANNEL#1'], ['TICKET#1', 'y']].map((keys) => when('Allow', keys))).not.toContain(true);
    expect(when('Deny', ['x'])).toBe(false);
    expect(when('Deny', ['y'])).toBe(true);
    // The keys of a query are not known here.
    expect([when('Allow'), when('Deny')]).toEqual([false, false]);
  });

  it.each([
    [
      { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': ['x'] } },
      'condition operator ForAnyValue:StringEquals',
    ],
    [{ 'ForAllValues:StringEquals': { 'aws:PrincipalArn': 'x' } }, 'condition key aws:PrincipalArn'],
    [{ StringEquals: { 'dynamodb:LeadingKeys': 'x' } }, 'condition key dynamodb:LeadingKeys'],
  ])('refuses a condition that it cannot evaluate: %j', (Condition, complaint) => {
    expect(() => principal({ ...allowAll, Condition })).toThrow(
      `Policy: the ${complaint} cannot be evaluated here.`,
    );
  });

  it('refuses a statement without action or resource', () => {
    expect(() => principal({ Effect: 'Allow', Resource: '*' })).toThrow(
      'Policy: a policy statement has no action.',
    );
    expect(() => principal({ Effect: 'Allow', Action: '*' })).toThrow(
      'Policy: a policy statement has no resource.',
    );
  });
});

describe('a pattern', () => {
  it('matches like the regular expression of the same meaning', () => {
    const letters = fc.stringMatching(/^[ab*?]{0,8}$/);
    fc.assert(
      fc.property(letters, fc.stringMatching(/^[ab]{0,10}$/), (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesPattern(pattern, text)).toBe(expression.test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('does not take exponential time', () => {
    expect(matchesPattern(`${'a*'.repeat(30)}b`, 'a'.repeat(5000))).toBe(false);
  });
});
