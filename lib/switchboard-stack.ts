import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { CustomDomain, oneDomain } from './apis/custom-domain.ts';
import { SettingsError, type DomainSetting } from './settings/settings.ts';
import type { SwitchboardProps } from './settings/props.ts';
import { Switchboard } from './switchboard.ts';

/** The settings of the stack are plain data: it makes the domains that they name. */
export interface SwitchboardStackSettings extends Omit<SwitchboardProps, 'webSocketDomain' | 'httpDomain'> {
  readonly webSocketDomain?: DomainSetting | undefined;
  readonly httpDomain?: DomainSetting | undefined;
}

/** The stack of this app: one Switchboard, and the outputs that its users need. */
export class SwitchboardStack extends Stack {
  readonly switchboard: Switchboard;

  constructor(scope: Construct, id: string, settings: SwitchboardStackSettings = {}, props: StackProps = {}) {
    super(scope, id, {
      description: 'Switchboard: managed WebSocket connections',
      // Leaves out AWS::CDK::Metadata, so that the template holds only resources that run.
      analyticsReporting: false,
      // With protected tables, a deletion would fail halfway. This refuses it before anything is deleted.
      ...(settings.deletionProtection && { terminationProtection: true }),
      ...props,
    });
    const { webSocketDomain, httpDomain, ...data } = settings;
    if (webSocketDomain && webSocketDomain.domainName === httpDomain?.domainName)
      throw new SettingsError(oneDomain);
    this.switchboard = new Switchboard(this, 'Switchboard', {
      ...data,
      webSocketDomain: webSocketDomain && new CustomDomain(this, 'WebSocketDomain', webSocketDomain).mapping,
      httpDomain: httpDomain && new CustomDomain(this, 'HttpDomain', httpDomain).mapping,
    });

    new CfnOutput(this, 'WebSocketUrl', {
      description: 'Where users connect, with their token in the query',
      value: this.switchboard.webSocketUrl,
    });
    new CfnOutput(this, 'PublishUrl', {
      description: 'Where services publish, with SigV4',
      value: this.switchboard.publishUrl,
    });
    const { tokenSecretArn } = this.switchboard;
    if (tokenSecretArn !== undefined) {
      new CfnOutput(this, 'TokenSecretArn', {
        description: "The secret that users' tokens are signed with",
        value: tokenSecretArn,
      });
    }
    new CfnOutput(this, 'PublishFunctionName', {
      description: 'Takes the same body by direct invocation',
      value: this.switchboard.publishFunction.functionName,
    });
  }
}
