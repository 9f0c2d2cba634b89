import { CfnOutput, CfnResource } from 'aws-cdk-lib';
import { DomainName, type DomainMappingOptions } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Construct } from 'constructs';
import { SettingsError, type DomainSetting } from '../settings/settings.ts';

/** The custom domains of the two APIs. */
export interface CustomDomains {
  readonly webSocketDomain?: DomainMappingOptions | undefined;
  readonly httpDomain?: DomainMappingOptions | undefined;
}

/** The address under which a mapped stage answers: the domain, and the mapping key if there is one. */
export function addressOf({ domainName, mappingKey }: DomainMappingOptions): string {
  const name = domainName.domainNameRef.domainName;
  return mappingKey === undefined ? name : `${name}/${mappingKey}`;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-mappings.html, "Restrictions" */
export const oneDomain =
  'Settings webSocketDomain and httpDomain name the same domain; API Gateway maps a WebSocket API and an HTTP API to ' +
  'different domains only, such as ws.example.com and api.example.com.';

/** Refuses domains that API Gateway would refuse in the middle of a deployment. */
export function checkDomains(
  { webSocketDomain, httpDomain }: CustomDomains,
  disableExecuteApiEndpoint: boolean,
): void {
  const name = webSocketDomain?.domainName.domainNameRef.domainName;
  if (name !== undefined && name === httpDomain?.domainName.domainNameRef.domainName) {
    throw new SettingsError(oneDomain);
  }
  if (disableExecuteApiEndpoint && !(webSocketDomain && httpDomain)) {
    throw new SettingsError(
      'Setting disableExecuteApiEndpoint needs webSocketDomain and httpDomain; an API without either has no address.',
    );
  }
}

/**
 * Switches off the default endpoint of an API. CDK has the property for HTTP APIs only, CloudFormation for both:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-disable-default-endpoint.html
 */
export function disableDefaultEndpoint(api: Construct): void {
  const resource = api.node.defaultChild;
  if (!CfnResource.isCfnResource(resource)) throw new Error(`${api.node.path} has no resource of its own.`);
  resource.addPropertyOverride('DisableExecuteApiEndpoint', true);
}

/** A domain that a setting names. Its certificate exists, and its DNS record is its owner's: an output says the target. */
export class CustomDomain extends Construct {
  readonly mapping: DomainMappingOptions;

  constructor(scope: Construct, id: string, { domainName, certificateArn, mappingKey }: DomainSetting) {
    super(scope, id);
    const certificate = Certificate.fromCertificateArn(this, 'Certificate', certificateArn);
    const domain = new DomainName(this, 'Domain', { domainName, certificate });
    this.mapping = { domainName: domain, ...(mappingKey !== undefined && { mappingKey }) };
    new CfnOutput(scope, `${id}Target`, {
      description: `Point a CNAME or alias record of ${domainName} here`,
      value: domain.regionalDomainName,
    });
  }
}
