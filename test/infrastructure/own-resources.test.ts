import { App, Stack } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Role, ServicePrincipal, User } from 'aws-cdk-lib/aws-iam';
import { describe, expect, it } from 'vitest';
import type { Switchboard } from '../../lib/switchboard.ts';
import { createStack, resourcesOf } from './stack-under-test.ts';

describe('the attributes', () => {
  it('are the resources of the template', () => {
    const stack = createStack();
    const { listenerFunction, webSocketApi, httpApi, sessionsTable, fanOutDeadLetters, alarms, ...others } =
      stack.switchboard;
    expect(
      stack.resolve([
        listenerFunction.functionArn,
        webSocketApi.apiId,
        others.webSocketStage.stageName,
        httpApi.apiId,
        others.httpStage.stageName,
        sessionsTable.tableName,
        fanOutDeadLetters.queueArn,
      ]),
    ).toEqual([
      { 'Fn::GetAtt': [expect.stringMatching(/^SwitchboardMessage[0-9A-F]{8}$/), 'Arn'] },
      { Ref: expect.stringMatching(/^SwitchboardWebSocketApi[0-9A-F]{8}$/) as unknown },
      'live',
      { Ref: expect.stringMatching(/^SwitchboardHttpApi[0-9A-F]{8}$/) as unknown },
      '$default',
      { Ref: expect.stringMatching(/^SwitchboardSessionsTable[0-9A-F]{8}$/) as unknown },
      { 'Fn::GetAtt': [expect.stringMatching(/^SwitchboardFanOutQueueDeadLetters[0-9A-F]{8}$/), 'Arn'] },
    ]);
    expect(alarms).toHaveLength(resourcesOf(stack, 'AWS::CloudWatch::Alarm').length);
    expect(alarms.map((alarm) => alarm.node.path)).toEqual([
      'Switchboard/Switchboard/FanOutQueue/DeadLetterAlarm',
      'Switchboard/Switchboard/SessionChecks/DeadLetterAlarm',
    ]);
  });
});

describe('a table of one’s own', () => {
  it('is used by the listeners that are granted it, under the name in their environment', () => {
    const stack = createStack();
    const partitionKey = { name: 'pk', type: AttributeType.STRING };
    const orders = new Table(stack, 'Orders', { partitionKey });
    const { listenerFunction } = stack.switchboard;
    listenerFunction.addEnvironment('ORDERS_TABLE', orders.tableName);
    orders.grantReadWriteData(listenerFunction);

    const message = resourcesOf(stack, 'AWS::Lambda::Function').find(
      ({ logicalId }) => logicalId === 'Message',
    );
    expect(message?.properties['Environment']).toMatchObject({
      Variables: { ORDERS_TABLE: '${Orders}', SESSIONS_TABLE: '${SessionsTable}' },
    });
    const rights = statements(stack, 'MessageRoleDefaultPolicy');
    expect(rights).toEqual(
      expect.arrayContaining([...statements(createStack(), 'MessageRoleDefaultPolicy')]),
    );
    expect(rights.filter(({ Resource }) => JSON.stringify(Resource).includes('${Orders.Arn}'))).toHaveLength(
      1,
    );
  });
});

describe('a service that is granted', () => {
  it.each<[string, (switchboard: Switchboard, service: Role) => void, readonly string[]]>([
    [
      'to manage sessions',
      (switchboard, service) => switchboard.grantManageSessions(service),
      ['GET/sessions', 'DELETE/sessions', 'GET/sessions/*', 'DELETE/sessions/*'],
    ],
    [
      'to read messages',
      (switchboard, service) => switchboard.grantReadMessages(service),
      ['GET/publications/*', 'GET/channels/*'],
    ],
  ])('%s may call those routes and nothing else', (_name, grant, routes) => {
    const stack = createStack();
    const service = new Role(stack, 'Service', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
    grant(stack.switchboard, service);

    const [statement, ...more] = statements(stack, 'ServiceDefaultPolicy');
    expect(more).toEqual([]);
    expect(statement?.Action).toBe('execute-api:Invoke');
    expect([statement?.Resource].flat().toSorted()).toEqual(
      routes
        .map(
          (route) =>
            `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${HttpApi}/*/${route}`,
        )
        .toSorted(),
    );
  });

  it('may be a user, or a role of another stack', () => {
    const stack = createStack();
    stack.switchboard.grantManageSessions(new User(stack, 'Operator'));
    const other = new Stack(App.of(stack), 'Other');
    const service = new Role(other, 'Service', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
    stack.switchboard.grantReadMessages(service);
    expect(statements(stack, 'OperatorDefaultPolicy')).toHaveLength(1);
    const [statement] = statements(other, 'ServiceDefaultPolicy');
    expect(statement?.Action).toBe('execute-api:Invoke');
    expect(JSON.stringify(statement?.Resource)).toContain('/*/GET/publications/*');
  });
});

interface Statement {
  readonly Action: unknown;
  readonly Resource: unknown;
}

function statements(stack: Stack, policy: string): readonly Statement[] {
  const found = resourcesOf(stack, 'AWS::IAM::Policy').find(({ logicalId }) => logicalId.startsWith(policy));
  const { Statement = [] } = (found?.properties['PolicyDocument'] ?? {}) as { Statement?: Statement[] };
  return Statement;
}
