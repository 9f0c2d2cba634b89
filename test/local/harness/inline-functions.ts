import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Properties = Readonly<Record<string, unknown>>;
export type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties: Properties }>>;

/** Writes a cloud assembly as `cdk synth` would; its functions are inline. The stacks have the same template. */
export async function writeAssembly(
  resources: Resources,
  outputs: Properties = {},
  stackNames: readonly string[] = ['Stack'],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assembly-'));
  const artifacts = stackNames.map((name) => {
    const properties = { templateFile: 'Stack.template.json' };
    return [name, { type: 'aws:cloudformation:stack', properties }] as const;
  });
  const manifest = { version: '36.0.0', artifacts: Object.fromEntries(artifacts) };
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const template = { Resources: { ...role, ...resources }, Outputs: outputs };
  await writeFile(join(folder, 'Stack.template.json'), JSON.stringify(template));
  return folder;
}

export interface FunctionOptions {
  /** Seconds. */
  readonly timeout?: number;
  readonly reserved?: number;
  readonly variables?: Properties;
}

/** A function whose handler first prints its event, which tests read from the log, then runs `body` with `event`. */
export function lambda(logicalId: string, body: string, options: FunctionOptions = {}): Resources {
  const code = `exports.handler = async (event) => { console.log('EVENT ' + JSON.stringify(event)); ${body} };`;
  return {
    [logicalId]: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: logicalId,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Timeout: options.timeout ?? 10,
        Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
        Code: { ZipFile: code },
        Environment: { Variables: options.variables ?? {} },
        ...(options.reserved === undefined ? {} : { ReservedConcurrentExecutions: options.reserved }),
      },
    },
  };
}

/** Lets API Gateway invoke the function from any route and authorizer of the API. */
export function permission(functionId: string, apiId: string, resource = '*'): Resources {
  return {
    [`${functionId}Permission`]: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: { 'Fn::GetAtt': [functionId, 'Arn'] },
        Principal: 'apigateway.amazonaws.com',
        SourceArn: {
          'Fn::Sub': `arn:aws:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${${apiId}}/${resource}`,
        },
      },
    },
  };
}

export function integrationUri(functionId: string): unknown {
  const uri = 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations';
  return { 'Fn::Sub': uri.replace('F.Arn', `${functionId}.Arn`) };
}

const role: Resources = {
  Role: {
    Type: 'AWS::IAM::Role',
    Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] }, Policies: [] },
  },
};
