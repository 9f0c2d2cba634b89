import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../../local/template/template-error.ts';
import { loadDeployment } from '../../../local/template/template.ts';
import { writeAssembly } from '../harness/assembly.ts';
import { api, endpoint, load, valueOf } from './template-under-test.ts';

describe('intrinsic functions', () => {
  it.each([
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::AccountId' }]] }, 'a-000000000000'],
    ['Fn::Sub', { 'Fn::Sub': 'arn:${AWS::Partition}:${!Literal}' }, 'arn:aws:${Literal}'],
    [
      'Fn::Sub with variables',
      { 'Fn::Sub': ['${A}/${AWS::StackName}', { A: { Ref: 'AWS::URLSuffix' } }] },
      'amazonaws.com/Demo',
    ],
    ['Fn::Select and Fn::Split', { 'Fn::Select': [1, { 'Fn::Split': ['|', 'a|b|c'] }] }, 'b'],
    ['nested values', { a: [{ Ref: 'AWS::Partition' }, { b: 1 }] }, { a: ['aws', { b: 1 }] }],
    ['AWS::NoValue', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
  ])('%s', (_, expression, expected) => {
    expect(valueOf(expression)).toEqual(expected);
  });

  it.each([
    ['Fn::Base64', { 'Fn::Base64': 'hi' }, 'aGk='],
    ['Fn::GetAZs', { 'Fn::GetAZs': '' }, ['us-east-1a', 'us-east-1b', 'us-east-1c']],
    ['Fn::Cidr', { 'Fn::Cidr': ['10.0.0.0/16', 3, 8] }, ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24']],
    ['Fn::Cidr of larger blocks', { 'Fn::Cidr': ['10.0.0.0/8', '2', '20'] }, ['10.0.0.0/12', '10.16.0.0/12']],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'tasks'] }, 4],
    ['its default', { 'Fn::FindInMap': ['Sizes', 'eu-west-1', 'tasks', { DefaultValue: 1 }] }, 1],
  ])('%s', (_, expression, expected) => {
    const Mappings = { Sizes: { 'us-east-1': { tasks: 4 } } };
    expect(valueOf(expression, { Mappings } as object)).toEqual(expected);
  });

  it('Ref of a parameter gives its default', () => {
    const Parameters = {
      Size: { Type: 'Number', Default: 7 },
      Zones: { Type: 'CommaDelimitedList', Default: 'a,b' },
    };
    expect(valueOf([{ Ref: 'Size' }, { Ref: 'Zones' }], { Parameters } as object)).toEqual([7, ['a', 'b']]);
  });

  it('Ref of a parameter gives the value of the user', () => {
    const template = {
      Parameters: { Size: { Type: 'Number', Default: 7 }, Zones: { Type: 'List<String>' } },
      Resources: {
        Holder: { Type: 'AWS::CDK::Metadata', Properties: { a: { Ref: 'Size' }, b: { Ref: 'Zones' } } },
      },
    };
    const parameters = { Size: '9', Zones: 'a,b' };
    const deployment = loadDeployment(writeAssembly(template), endpoint, { parameters });
    expect(deployment.resources.get('Holder')?.properties).toEqual({ a: '9', b: ['a', 'b'] });
    expect(() => loadDeployment(writeAssembly(template), endpoint, { parameters: { Siez: '1' } })).toThrow(
      'No template has the parameter Siez.',
    );
  });

  it('Ref of a parameter in SSM gives what the template stores there', () => {
    const Resources = {
      Stored: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/app/size', Value: '3' } },
    };
    const of = (Default: string) => ({
      Resources,
      Parameters: { Size: { Type: 'AWS::SSM::Parameter::Value<String>', Default } },
    });
    expect(valueOf({ Ref: 'Size' }, of('/app/size'))).toBe('3');
    expect(() => valueOf({ Ref: 'Size' }, of('/app/other'))).toThrow('has the SSM parameter /app/other');
  });

  it('Fn::If follows Equals, Not, And, Or and named conditions', () => {
    const Conditions = {
      IsEast: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
      IsWest: { 'Fn::Not': [{ Condition: 'IsEast' }] },
      Both: { 'Fn::And': [{ Condition: 'IsEast' }, { Condition: 'IsWest' }] },
      Either: { 'Fn::Or': [{ Condition: 'IsEast' }, { Condition: 'IsWest' }] },
    };
    const choose = (name: string) => ({ 'Fn::If': [name, 'yes', 'no'] });
    const chosen = valueOf(['IsEast', 'IsWest', 'Both', 'Either'].map(choose), { Conditions } as object);
    expect(chosen).toEqual(['yes', 'no', 'no', 'yes']);
  });

  it('leaves out resources and outputs whose condition is false', () => {
    const deployment = load({
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
      Resources: { Gone: { Type: 'Custom::Unknown', Condition: 'Never' }, ...api },
      Outputs: { Gone: { Condition: 'Never', Value: { Ref: 'Gone' } }, Kept: { Value: { Ref: 'Api' } } },
    });
    expect([...deployment.resources.keys()]).toEqual(['Api']);
    expect([...deployment.outputs.keys()]).toEqual(['Kept']);
  });
});

describe('return values', () => {
  it('have the form that AWS gives them', () => {
    const types = {
      ...api,
      Function: { Type: 'AWS::Lambda::Function', Properties: {} },
      Role: { Type: 'AWS::IAM::Role', Properties: {} },
      Table: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 'items' } },
      Secret: { Type: 'AWS::SecretsManager::Secret', Properties: {} },
      Queue: { Type: 'AWS::SQS::Queue', Properties: {} },
      Fifo: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } },
      Group: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/app' } },
    };
    const deployment = load({ Resources: types });
    expect(deployment.physicalId('Api')).toMatch(/^[a-z0-9]{10}$/);
    expect(deployment.physicalId('Function')).toMatch(/^Demo-Function-[A-Z0-9]{12}$/);
    expect(deployment.attribute('Function', 'Arn')).toBe(
      `arn:aws:lambda:us-east-1:000000000000:function:${deployment.physicalId('Function')}`,
    );
    expect(deployment.attribute('Role', 'Arn')).toMatch(
      /^arn:aws:iam::000000000000:role\/Demo-Role-[A-Z0-9]{12}$/,
    );
    expect(deployment.attribute('Table', 'Arn')).toBe('arn:aws:dynamodb:us-east-1:000000000000:table/items');
    expect(deployment.physicalId('Secret')).toMatch(
      /^arn:aws:secretsmanager:us-east-1:000000000000:secret:Demo-Secret-[A-Z0-9]{12}-[a-z0-9]{6}$/,
    );
    expect(deployment.physicalId('Queue')).toBe(
      `${endpoint}/000000000000/${deployment.attribute('Queue', 'QueueName')}`,
    );
    expect(deployment.attribute('Fifo', 'QueueName')).toMatch(/\.fifo$/);
    expect(deployment.attribute('Group', 'Arn')).toBe('arn:aws:logs:us-east-1:000000000000:log-group:/app:*');
  });

  it('are the same at every start, and within the limits of their service', () => {
    const id = 'AVeryLongLogicalIdThatCdkMakesOfAllTheNamesInThePathOfAConstruct';
    const template = { Resources: { [id]: { Type: 'AWS::Lambda::Function', Properties: {} } } };
    const name = load(template).physicalId(id);
    expect(name).toBe(load(template).physicalId(id));
    expect(name.length).toBeLessThanOrEqual(64);
  });
});

describe('a mistake', () => {
  it.each([
    [
      'Holder: Api (AWS::ApiGatewayV2::Api) has no attribute Arn here.',
      {
        Resources: {
          ...api,
          Holder: { Type: 'AWS::CDK::Metadata', Properties: { a: { 'Fn::GetAtt': ['Api', 'Arn'] } } },
        },
      },
    ],
    [
      'Holder: There is no resource or parameter Nothing.',
      { Resources: { Holder: { Type: 'AWS::CDK::Metadata', Properties: { a: { Ref: 'Nothing' } } } } },
    ],
    [
      'Url: The intrinsic function Fn::Transform is not supported.',
      { ...api, Outputs: { Url: { Value: { 'Fn::Transform': { Name: 'Include' } } } } },
    ],
    [
      'Url: Fn::FindInMap finds no A.b.c.',
      { Outputs: { Url: { Value: { 'Fn::FindInMap': ['A', 'b', 'c'] } } } },
    ],
    [
      'Holder: The parameter Name has no default: give --parameter Name=VALUE.',
      {
        Parameters: { Name: {} },
        Resources: { Holder: { Type: 'AWS::CDK::Metadata', Properties: { a: { Ref: 'Name' } } } },
      },
    ],
  ])('is reported in one line: %s', (message, template) => {
    expect(() => load(template)).toThrow(new TemplateError(message));
  });

  it('in the folder is reported too', () => {
    expect(() => loadDeployment('/nowhere', endpoint)).toThrow(
      '/nowhere/manifest.json cannot be read; run `cdk synth` first.',
    );
  });
});

describe('a resource of a type that does not run here', () => {
  const template = {
    Resources: {
      Pool: { Type: 'AWS::Cognito::UserPool', Properties: { Odd: { 'Fn::Transform': {} } } },
      Other: { Type: 'AWS::Cognito::UserPool' },
      Retention: { Type: 'Custom::LogRetention' },
      Script: { Type: 'AWS::Lambda::Function', Properties: { Runtime: 'python3.13' } },
      ...api,
      Holder: {
        Type: 'AWS::CDK::Metadata',
        Properties: {
          ref: { Ref: 'Pool' },
          arn: { 'Fn::GetAtt': ['Pool', 'Arn'] },
          url: { 'Fn::GetAtt': ['Pool', 'ProviderURL'] },
          any: { 'Fn::GetAtt': ['Retention', 'LogGroupName'] },
        },
      },
    },
  };

  it('has an id and any attribute, and is counted', () => {
    const deployment = load(template);
    expect(deployment.resources.get('Holder')?.properties).toEqual({
      ref: expect.stringMatching(/^Demo-Pool-[A-Z0-9]{12}$/) as string,
      arn: expect.stringMatching(
        /^arn:aws:cognito:us-east-1:000000000000:userpool\/Demo-Pool-[A-Z0-9]{12}$/,
      ) as string,
      url: expect.stringMatching(/^https:\/\/[a-z0-9]{10}\.invalid$/) as string,
      any: expect.stringMatching(/^Demo-Retention-[A-Z0-9]{12}-LogGroupName$/) as string,
    });
    expect([...deployment.inert]).toEqual([
      ['AWS::Cognito::UserPool', 2],
      ['Custom::LogRetention', 1],
      ['AWS::Lambda::Function (python3.13)', 1],
    ]);
  });

  it('stops the start if it is strict', () => {
    expect(() => loadDeployment(writeAssembly(template), endpoint, { strict: true })).toThrow(
      new TemplateError('Pool: resources of type AWS::Cognito::UserPool cannot run here.'),
    );
    expect(load({ Resources: api }).inert.size).toBe(0);
  });
});
