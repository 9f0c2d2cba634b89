import type { Faults } from '../faults/faults.ts';
import { matchesPattern } from '../iam/authorize.ts';
import { principalOfFunction } from '../iam/roles.ts';
import { asNumber, asText } from '../json.ts';
import type { Meter } from '../meter.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { Deployment, Resource } from '../template/template.ts';
import type { Outcome } from './environment.ts';
import { FunctionPool } from './pool.ts';
import { hasNodeRuntime, readFunction } from './settings.ts';

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
  const permitsOf = (arn: string) => (service: string, sourceArn: string) =>
    permissions.some((permission) => permitsCall(permission, arn, service, sourceArn));
  const [runnable, inert] = partition(deployment.ofType('AWS::Lambda::Function'), hasNodeRuntime);
  // The whole template is read before a pool writes to the disk: a mistake in it leaves nothing behind.
  const roles = runnable.map((resource) => ({
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
      permits: permitsOf(arn),
    };
    return { pool, lambda };
  });
  const unqualified = [
    ...made.map(({ lambda }) => lambda),
    ...inert.map((resource) => inertFunction(deployment, resource, onOutput)),
  ];
  // A version or an alias has a resource policy of its own. Its code is that of the function.
  const qualified = [...deployment.ofType('AWS::Lambda::Version'), ...deployment.ofType('AWS::Lambda::Alias')]
    .map(({ logicalId }) => deployment.physicalId(logicalId))
    .flatMap((arn) =>
      unqualified
        .filter((lambda) => arn.startsWith(`${lambda.arn}:`))
        .map((lambda) => ({ ...lambda, arn, permits: permitsOf(arn) })),
    );
  const functions = [...unqualified, ...qualified];
  const byArn = (arn: string): LambdaFunction | undefined =>
    functions.find((lambda) => lambda.arn === arn.replace(/:\$LATEST$/, ''));
  return {
    byArn,
    byName: (name) => byArn(`arn:aws:lambda:${deployment.region}:${deployment.accountId}:function:${name}`),
    async close() {
      await Promise.all(made.map(({ pool }) => pool.close()));
    },
  };
}

/** Lambda compares the source ARN as ArnLike does: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html */
function permitsCall({ properties }: Resource, arn: string, service: string, sourceArn: string): boolean {
  const target = asText(properties.FunctionName);
  const source = asText(properties.SourceArn);
  return (
    (target === arn || target === arn.split(':function:')[1]) &&
    properties.Principal === service &&
    ['lambda:InvokeFunction', 'lambda:*'].includes(asText(properties.Action) ?? '') &&
    (source === undefined || matchesPattern(source, sourceArn))
  );
}

/** A function of another runtime fails with every event, and says why in the log. */
function inertFunction(
  deployment: Deployment,
  { logicalId, properties }: Resource,
  onOutput: (functionName: string, text: string) => void,
): LambdaFunction {
  const name = deployment.physicalId(logicalId);
  const errorMessage = `The runtime ${asText(properties.Runtime) ?? 'of a container image'} does not run on this machine.`;
  return {
    logicalId,
    name,
    arn: deployment.attribute(logicalId, 'Arn'),
    timeoutSeconds: asNumber(properties.Timeout) ?? 3,
    invoke() {
      onOutput(name, errorMessage);
      return Promise.resolve({ status: 'error', errorType: 'Runtime.NotSupported', errorMessage });
    },
    permits: () => true,
  };
}

function partition<T>(values: readonly T[], isFirst: (value: T) => boolean): [T[], T[]] {
  return [values.filter(isFirst), values.filter((value) => !isFirst(value))];
}
