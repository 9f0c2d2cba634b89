import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Switchboard, type SwitchboardProps } from './switchboard.ts';

/** The stack of this app: one Switchboard, and the outputs that its users need. */
export class SwitchboardStack extends Stack {
  readonly switchboard: Switchboard;

  constructor(scope: Construct, id: string, settings: SwitchboardProps = {}, props: StackProps = {}) {
    super(scope, id, {
      description: 'Switchboard: managed WebSocket connections',
      // Leaves out AWS::CDK::Metadata, so that the template holds only resources that run.
      analyticsReporting: false,
      ...props,
    });
    this.switchboard = new Switchboard(this, 'Switchboard', settings);

    new CfnOutput(this, 'WebSocketUrl', {
      description: 'Where users connect, with ?token=',
      value: this.switchboard.webSocketUrl,
    });
    new CfnOutput(this, 'PublishUrl', {
      description: 'Where services publish, with SigV4',
      value: this.switchboard.publishUrl,
    });
    new CfnOutput(this, 'TokenSecretArn', {
      description: "The secret that users' tokens are signed with",
      value: this.switchboard.tokenSecretArn,
    });
    new CfnOutput(this, 'PublishFunctionName', {
      description: 'Takes the same body by direct invocation',
      value: this.switchboard.publishFunction.functionName,
    });
  }
}
