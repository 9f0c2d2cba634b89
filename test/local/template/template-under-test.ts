import { type Deployment, loadDeployment } from '../../../local/template/template.ts';
import { writeAssembly } from '../harness/assembly.ts';

export const endpoint = 'http://127.0.0.1:8080';

export function load(template: object): Deployment {
  return loadDeployment(writeAssembly(template), endpoint);
}

/** What an expression gives, as a variable of a function. */
export function valueOf(expression: unknown, template: { readonly Resources?: object } = {}): unknown {
  const Holder = { Type: 'AWS::CDK::Metadata', Properties: { Value: expression } };
  const deployment = load({ ...template, Resources: { ...template.Resources, Holder } });
  return deployment.resources.get('Holder')?.properties.Value;
}

export const api = { Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'WEBSOCKET' } } };
