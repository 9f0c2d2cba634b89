import { describe, expect, it } from 'vitest';
import { loadDeployment } from '../../../local/template/template.ts';
import { writeStacks } from '../harness/assembly.ts';

const endpoint = 'http://127.0.0.1:8080';
const url = (path: string) => ({
  'Fn::Sub': `https://\${Api}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}${path}`,
});

/** The same construct twice: equal logical ids, one WebSocket API each. */
const realtime = {
  Resources: {
    Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'WEBSOCKET' } },
    Stage: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: { Ref: 'Api' }, StageName: 'live' } },
    Table: { Type: 'AWS::DynamoDB::Table', Properties: {} },
  },
  Outputs: {
    Url: { Value: url('/live') },
    TableName: { Value: { Ref: 'Table' }, Export: { Name: { 'Fn::Sub': '${AWS::StackName}-table' } } },
  },
};
const reader = {
  Resources: {
    Holder: {
      Type: 'AWS::CDK::Metadata',
      Properties: { table: { 'Fn::ImportValue': 'Orders-table' } },
    },
  },
};

describe('several stacks', () => {
  const assembly = writeStacks({ Orders: realtime, Chat: realtime, Reader: reader });
  const deployment = loadDeployment(assembly, endpoint);

  it('run together, each with ids of its own', () => {
    expect(deployment.stackNames).toEqual(['Orders', 'Chat', 'Reader']);
    expect([...deployment.resources.keys()]).toContain('Chat/Table');
    const names = ['Orders', 'Chat'].map((stack) => deployment.physicalId(`${stack}/Table`));
    expect(names).toEqual([expect.stringMatching(/^Orders-Table-/), expect.stringMatching(/^Chat-Table-/)]);
  });

  it('have addresses of their own: the first at the root, the second under its API id', () => {
    const chat = deployment.physicalId('Chat/Api');
    expect(deployment.outputs.get('Orders.Url')).toBe(`${endpoint}/live`);
    expect(deployment.outputs.get('Chat.Url')).toBe(`${endpoint}/${chat}/live`);
    expect(deployment.apiPath(deployment.physicalId('Orders/Api'))).toBe('');
    expect(deployment.apiPath(chat)).toBe(`/${chat}`);
  });

  it('import what another one exports', () => {
    const holder = deployment.resources.get('Reader/Holder');
    expect(holder?.properties.table).toBe(deployment.physicalId('Orders/Table'));
  });

  it.each(['Chat', 'ChatArtifact'])('can be chosen by name or artifact id: %s', (name) => {
    const alone = loadDeployment(assembly, endpoint, { stacks: [name] });
    expect(alone.stackNames).toEqual(['Chat']);
    expect(alone.outputs.get('Url')).toBe(`${endpoint}/live`);
    // The id is the same as in the company of others, so that tables in --data stay.
    expect(alone.physicalId('Table')).toBe(deployment.physicalId('Chat/Table'));
  });

  it('in stages, which are assemblies of their own, run too', () => {
    const staged = writeStacks({ 'Prod/Orders': realtime, Orders: realtime });
    expect(loadDeployment(staged, endpoint).stackNames).toEqual(['Orders', 'Prod-Orders']);
    expect(loadDeployment(staged, endpoint, { stacks: ['Prod/Orders'] }).stackNames).toEqual(['Prod-Orders']);
  });

  it.each([
    ['There is no stack Caht; the stacks are Orders, Chat, Reader.', ['Caht']],
    ['Holder: The export Orders-table needs the stack Orders: add --stack Orders.', ['Reader']],
  ])('report a wrong choice: %s', (message, stacks) => {
    expect(() => loadDeployment(assembly, endpoint, { stacks })).toThrow(message);
  });

  it('report an export of no stack, and a name that two of them give', () => {
    expect(() => loadDeployment(writeStacks({ Reader: reader }), endpoint)).toThrow(/exports Orders-table/);
    const named = {
      Resources: { Table: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 'items' } } },
    };
    expect(() => loadDeployment(writeStacks({ A: named, B: named }), endpoint)).toThrow(
      'A/Table and B/Table have the same name: AWS::DynamoDB::Table items.',
    );
  });
});
