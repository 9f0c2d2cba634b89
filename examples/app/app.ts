import { join } from 'node:path';
import { App, CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Architecture, Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { ChangeSource, ListenerTarget, PublishOnChange, Switchboard } from 'switchboard';

/** A shop: orders come over WebSocket connections, and every order is shown to whoever watches. */
class OrdersStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps & { readonly crmUrl: string }) {
    super(scope, id, props);
    const realtime = new Switchboard(this, 'Realtime', {
      listeners: join(import.meta.dirname, 'listeners.ts'),
      durableTopics: ['orders'],
      removalPolicy: 'destroy',
    });

    // A table of the listeners' own.
    const orders = new Table(this, 'Orders', {
      partitionKey: { name: 'userId', type: AttributeType.STRING },
      sortKey: { name: 'orderId', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    orders.grantReadWriteData(realtime.listenerFunction);
    realtime.listenerFunction.addEnvironment('ORDERS_TABLE', orders.tableName);

    // A row that is deleted becomes a message, so pages follow the table.
    new PublishOnChange(this, 'OrderChanges', {
      realtime,
      source: ChangeSource.table(orders, { filters: [{ eventName: ['REMOVE'] }] }),
      map: join(import.meta.dirname, 'order-changes.ts'),
    });

    // Frames whose type begins with `stock-` go to a function, in any language that Lambda runs.
    realtime.addTarget('stock-*', ListenerTarget.lambda(this.function('Stock', 'stock')));

    // Those that begin with `crm-` go to a server of one's own. It checks the signature with the same secret.
    const secret = new Secret(this, 'CrmSecret', {
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    realtime.addTarget('crm-*', ListenerTarget.http(props.crmUrl, { secret }));

    // Who comes and who leaves.
    realtime.addLifecycleTarget(ListenerTarget.lambda(this.function('Audit', 'audit')));

    // A signed HTTP route beside those of Switchboard.
    const stockLevels = this.function('StockLevels', 'stock', 'index.levels');
    realtime.addRoute('GET /stock', stockLevels);

    new CfnOutput(this, 'WebSocketUrl', { value: realtime.webSocketUrl });
    new CfnOutput(this, 'PublishUrl', { value: realtime.publishUrl });
    new CfnOutput(this, 'TokenSecretArn', { value: realtime.tokenSecretArn ?? '' });
    new CfnOutput(this, 'CrmSecretArn', { value: secret.secretArn });
  }

  private function(id: string, folder: string, handler = 'index.handler'): Function {
    return new Function(this, id, {
      code: Code.fromAsset(join(import.meta.dirname, 'functions', folder)),
      handler,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
    });
  }
}

const app = new App();
const crmUrl: unknown = app.node.tryGetContext('crmUrl');
new OrdersStack(app, 'Orders', { crmUrl: String(crmUrl) });
