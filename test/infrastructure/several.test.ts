import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack, type App } from 'aws-cdk-lib';
import { DomainName } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { afterAll, describe, expect, it } from 'vitest';
import { Switchboard } from '../../lib/switchboard.ts';
import { createCheckedApp, graveDiagnostics, violations } from './checks.ts';
import { createOwnStack, createStack, resourcesOf } from './stack-under-test.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-several-'));
afterAll(() => rmSync(folder, { recursive: true }));

const certificateArn = 'arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000';
const env = { account: '123456789012', region: 'eu-west-1' };

/** The properties that must be unique in an account and Region. Names of APIs need not be. */
const names = /^(Table|Function|Role|Queue|Secret|LogGroup|Alarm|ManagedPolicy)Name$/;
const namedByName = ['AWS::SecretsManager::Secret'];

describe('several of them', () => {
  it.each([
    ['by default', createStack()],
    ['with deletion protection', createStack({ deletionProtection: true, removalPolicy: 'destroy' })],
  ])('share an account and Region, because no resource has a fixed name %s', (_name, stack) => {
    const fixed = resourcesOf(stack).flatMap(({ logicalId, type, properties }) =>
      Object.keys(properties)
        .filter((property) => names.test(property) || (property === 'Name' && namedByName.includes(type)))
        .filter((property) => typeof properties[property] === 'string')
        .filter((property) => !String(properties[property]).startsWith('${'))
        .map((property) => `${logicalId}.${property}`),
    );
    expect(fixed).toEqual([]);
  });

  it('can be in one stack', () => {
    const stack = createOwnStack();
    new Switchboard(stack, 'Chat');
    new Switchboard(stack, 'Desk', { shards: 2 });
    expect(resourcesOf(stack, 'AWS::DynamoDB::Table')).toHaveLength(4);
    expect(resourcesOf(stack, 'AWS::ApiGatewayV2::Api')).toHaveLength(4);
  });

  it.each([
    ['with small policies', { '@aws-cdk/aws-iam:minimizePolicies': true }],
    ['with a statement for each right', {}],
  ])('pass the rules of AWS Solutions and of CloudFormation, %s', (name, context) => {
    const app = createCheckedApp(join(folder, name.replaceAll(' ', '-')), context);
    createOwnStacks(app);
    const found = violations(app);
    expect(found.filter((finding) => !ofTheService.test(finding))).toEqual([]);
    // Nine routes, and the versions of the publish function.
    expect(found).toHaveLength(10);
    for (const id of ['Test', 'Prod']) {
      expect(graveDiagnostics(join(app.outdir, `${id}.template.json`)), id).toEqual([]);
    }
  });
});

describe('deletion protection', () => {
  it('makes DynamoDB and CloudFormation refuse the deletion', () => {
    const stack = createStack({ deletionProtection: true });
    expect(protectedTables(stack)).toEqual([true, true]);
    expect(stack.terminationProtection).toBe(true);
  });

  it('is off by default, so that a stack can be tried and deleted', () => {
    const stack = createStack();
    expect(protectedTables(stack)).toEqual([false, false]);
    expect(stack.terminationProtection).toBe(false);
  });
});

describe('the name of the stack', () => {
  it('changes no logical id', () => {
    const [one, other] = [createStack(), createStack({}, { stackName: 'chat-prod' })];
    expect(other.stackName).toBe('chat-prod');
    expect(resourcesOf(other)).toEqual(resourcesOf(one));
  });
});

function protectedTables(stack: Stack): readonly unknown[] {
  return resourcesOf(stack, 'AWS::DynamoDB::Table').map(
    ({ properties }) => properties['DeletionProtectionEnabled'],
  );
}

/** A user's app: one stack to try, and one with everything that a construct can be given. */
function createOwnStacks(app: App): void {
  new Switchboard(new Stack(app, 'Test'), 'Realtime', { removalPolicy: 'destroy' });

  const stack = new Stack(app, 'Prod', { env });
  const certificate = Certificate.fromCertificateArn(stack, 'Certificate', certificateArn);
  const domain = (id: string, domainName: string) => ({
    domainName: new DomainName(stack, id, { domainName, certificate }),
  });
  const realtime = new Switchboard(stack, 'Realtime', {
    webSocketDomain: { ...domain('WebSocketDomain', 'ws.example.com'), mappingKey: 'chat' },
    httpDomain: domain('HttpDomain', 'api.example.com'),
    disableExecuteApiEndpoint: true,
    deletionProtection: true,
  });
  const orders = new Table(stack, 'Orders', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  });
  orders.grantReadWriteData(realtime.listenerFunction);
  realtime.listenerFunction.addEnvironment('ORDERS_TABLE', orders.tableName);

  const service = new Role(stack, 'Service', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
  realtime.addRoute('GET /desk/agents', realtime.listenerFunction).grantInvoke(service);
  realtime.grantPublish(service);
  realtime.grantManageSessions(service);
  realtime.grantReadMessages(service);
}

/** The ARNs of routes and of a function's versions have wildcards. The service's role is the user's to judge. */
const ofTheService =
  /^AwsSolutions-IAM5\[Resource::(arn:.*:<RealtimeHttpApi\w+>\/\*\/(GET|POST|DELETE)\/|<RealtimePublish\w+\.Arn>:\*)/;
