import { join } from 'node:path';
import { type App, CfnOutput, Stack } from 'aws-cdk-lib';
import { DomainName } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { Construct } from 'constructs';
import { Switchboard } from '../../../lib/index.ts';

const certificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000';

/** Two ways to have `Chat` and `Desk` in one app. */
export const apps = {
  'two stacks of one app'(app: App) {
    addChat(new Stack(app, 'One'));
    addDesk(new Stack(app, 'Two'));
  },
  'two constructs in one stack'(app: App) {
    const stack = new Stack(app, 'Both');
    addChat(stack);
    addDesk(stack);
  },
};

/** A Switchboard with default addresses and listeners of its own. Two connections are an audience for the fan-out. */
function addChat(scope: Construct): void {
  const listeners = join(import.meta.dirname, 'chat-listeners.ts');
  addOutputs(scope, 'Chat', new Switchboard(scope, 'Chat', { listeners, inlineLimit: 1 }));
}

/** One with other listeners. Its APIs answer at their domains only, and so its functions send through the domain. */
function addDesk(scope: Construct): void {
  const certificate = Certificate.fromCertificateArn(scope, 'Certificate', certificateArn);
  const domain = (id: string, domainName: string) => ({
    domainName: new DomainName(scope, id, { domainName, certificate }),
    mappingKey: 'desk',
  });
  const desk = new Switchboard(scope, 'Desk', {
    listeners: join(import.meta.dirname, 'desk-listeners.ts'),
    inlineLimit: 1,
    webSocketDomain: domain('WebSocketDomain', 'ws.example.com'),
    httpDomain: domain('HttpDomain', 'api.example.com'),
    disableExecuteApiEndpoint: true,
  });
  addOutputs(scope, 'Desk', desk);
}

function addOutputs(scope: Construct, name: string, { webSocketUrl, publishUrl }: Switchboard): void {
  new CfnOutput(scope, `${name}WebSocketUrl`, { value: webSocketUrl });
  new CfnOutput(scope, `${name}PublishUrl`, { value: publishUrl });
}
