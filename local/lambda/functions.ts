import type { Faults } from '../faults/faults.ts';
import { matchesPattern } from '../iam/authorize.ts';
import { principalOfFunction } from '../iam/roles.ts';
import { asText } from '../json.ts';
import type { Meter } from '../meter.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { Deployment, Resource } from '../template/template.ts';
import type { Outcome } from './environment.ts';
import { FunctionPool } from './pool.ts';
import { readFunction } from './settings.ts';

export type { Outcome } from './environment.ts';

export interface LambdaFunction {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** The `Timeout` of the template. */
  readonly timeoutSeconds: number;
  /** The function gets the event as JSON would carry it. */
  invoke(event: unknown): Promise<Outcome>;
  /** Whether the resource policy (AWS::Lambda::Permission) lets this service invoke the function for this source ARN. */
  permits(service: string, sourceArn: string): boolean;
}

/** The functions of a deployment. Each starts its environments with its first event. */
export interface Functions {
  byArn(arn: string): LambdaFunction | undefined;
  byName(name: string): LambdaFunction | undefined;
  close(): Promise<void>;
}

export function createFunctions(options: {
  readonly deployment: Deployment;
  /** Issues the keys of each function's role. */
  readonly keys: KeyRing;
  readonly meter: Meter;
  readonly faults: Faults;
  readonly onOutput: (functionName: string, text: string) => void;
}): Functions {
  const { deployment, keys, meter, faults, onOutput } = options;
  const permissions = deployment.ofType('AWS::Lambda::Permission');
  // The whole template is read before a pool writes to the disk: a mistake in it leaves nothing behind.
  const roles = deployment.ofType('AWS::Lambda::Function').map((resource) => ({
    settings: readFunction(deployment, resource),
    principal: principalOfFunction(deployment, resource),
  }));
  const made = roles.map(({ settings, principal }) => {
    const { logicalId, name, arn, timeoutSeconds } = settings;
    const pool = new FunctionPool({
      settings,
      credentials: keys.issue(principal),
      region: deployment.region,
      endpoint: deployment.endpoint,
      meter,
      faults,
      onOutput: (text) => {
        onOutput(name, text);
      },
    });
    const lambda: LambdaFunction = {
      logicalId,
      name,
      arn,
      timeoutSeconds,
      invoke: (event) => pool.invoke(event),
      permits: (service, sourceArn) =>
        permissions.some((permission) => permitsCall(permission, lambda, service, sourceArn)),
    };
    return { pool, lambda };
  });
  const functions = made.map(({ lambda }) => lambda);
  return {
    byArn: (arn) => functions.find((lambda) => lambda.arn === arn),
    byName: (name) => functions.find((lambda) => lambda.name === name),
    async close() {
      await Promise.all(made.map(({ pool }) => pool.close()));
    },
  };
}

/** Lambda compares the source ARN as ArnLike does: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html */
function permitsCall(
  { properties }: Resource,
  lambda: LambdaFunction,
  service: string,
  sourceArn: string,
): boolean {
  const target = asText(properties.FunctionName);
  const source = asText(properties.SourceArn);
  return (
    (target === lambda.name || target === lambda.arn) &&
    properties.Principal === service &&
    ['lambda:InvokeFunction', 'lambda:*'].includes(asText(properties.Action) ?? '') &&
    (source === undefined || matchesPattern(source, sourceArn))
  );
}
