import { join } from 'node:path';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import type { Switchboard } from 'switchboard';
import { routes } from './routes.ts';

/** RayFramework's HTTP routes, and the table of the waiters. Its listeners are in `listeners.ts`. */
export class Rayim extends Construct {
  private readonly grants: ((service: IGrantable) => void)[];

  constructor(scope: Construct, id: string, { realtime }: { readonly realtime: Switchboard }) {
    super(scope, id);
    const table = new Table(this, 'Waiters', {
      partitionKey: { name: 'tenant', type: AttributeType.STRING },
      sortKey: { name: 'waiter', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
    });
    table.grant(realtime.listenerFunction, 'dynamodb:Query');
    realtime.listenerFunction.addEnvironment('RAYIM_TABLE', table.tableName);

    const fn = new NodejsFunction(this, 'Routes', {
      entry: join(import.meta.dirname, 'functions/routes.ts'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      environment: { RAYIM_TABLE: table.tableName, PUBLISH_URL: realtime.publishUrl },
      // The SDK that runs is the SDK that was tested.
      bundling: { externalModules: [], minify: true },
    });
    table.grant(fn, 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:DeleteItem');
    realtime.grantPublish(fn);
    const added = Object.values(routes).map((route) => realtime.addRoute(route, fn));
    this.grants = added.map((route) => (service) => route.grantInvoke(service));
  }

  /** Lets the backend of RayFramework, or a gateway in front of it, call the routes. */
  grantInvoke(service: IGrantable): void {
    for (const grant of this.grants) grant(service);
  }
}
