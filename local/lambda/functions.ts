import type { Faults } from '../faults/faults.ts';
import { asText } from '../json.ts';
import type { Meter } from '../meter.ts';
import { matchesPattern } from '../iam/authorize.ts';
import type { Outcome } from './environment.ts';
import { FunctionPool } from './pool.ts';
import { readFunction } from './settings.ts';
import { principalOfFunction } from '../iam/roles.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { Deployment, Resource } from '../template/template.ts';

export type { Outcome } from './environment.ts';

export interface LambdaFunction {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** The `Timeout` of the template. */
  readonly timeoutSeconds: number;
  /** Runs the function on what JSON makes of the event. */
  invoke(event: unknown): Promise<Outcome>;
  /** Whether its resource policy (AWS::Lambda::Permission) lets this service call it for this source ARN. */
  permits(service: string, sourceArn: string): boolean;
}

export interface FunctionsOptions {
  readonly deployment: Deployment;
  /** Receives the keys of each function's role. */
  readonly keys: KeyRing;
  readonly meter: Meter;
  readonly faults: Faults;
  readonly onOutput: (functionName: string, text: string) => void;
}

/** The functions of a deployment. Each starts its environments when the first event comes. */
export class Functions {
  readonly #pools: readonly FunctionPool[];
  readonly #functions: readonly LambdaFunction[];

  constructor({ deployment, keys, meter, faults, onOutput }: FunctionsOptions) {
    const permissions = deployment.ofType('AWS::Lambda::Permission');
    // All of the template is read before anything is put on disk.
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
    this.#pools = made.map(({ pool }) => pool);
    this.#functions = made.map(({ lambda }) => lambda);
  }

  byArn(arn: string): LambdaFunction | undefined {
    return this.#functions.find((lambda) => lambda.arn === arn);
  }

  byName(name: string): LambdaFunction | undefined {
    return this.#functions.find((lambda) => lambda.name === name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.close()));
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html; the source ARN is compared as by ArnLike. */
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
