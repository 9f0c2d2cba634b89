import { join } from 'node:path';
import type { HttpRoute } from 'aws-cdk-lib/aws-apigatewayv2';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import type { Switchboard } from 'switchboard';

/** The HTTP route of smart-web-socket. Its listener is in `listeners.ts`. */
export class SmartWebSocket extends Construct {
  /** `POST /sendSocket/{topic}`: `route.grantInvoke(service)` lets a service call it. */
  readonly route: HttpRoute;

  constructor(scope: Construct, id: string, { realtime }: { readonly realtime: Switchboard }) {
    super(scope, id);
    const fn = new NodejsFunction(this, 'SendSocket', {
      entry: join(import.meta.dirname, 'functions/send-socket.ts'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      environment: { PUBLISH_URL: realtime.publishUrl },
      bundling: { externalModules: [], minify: true },
    });
    realtime.grantPublish(fn);
    this.route = realtime.addRoute('POST /sendSocket/{topic}', fn);
  }
}
