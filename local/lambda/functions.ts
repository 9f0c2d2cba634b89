import type { Faults } from '../faults/faults.ts';
import { matchesPattern, type Principal } from '../iam/authorize.ts';
import type { GrantUse } from '../iam/grant-use.ts';
import { principalOfFunction } from '../iam/roles.ts';
import { asNumber, asText } from '../json.ts';
import type { Meter } from '../meter.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { Deployment, Resource } from '../template/template.ts';
import type { Outcome } from './environment.ts';
import { FunctionPool } from './pool.ts';
import { type FunctionSettings, hasNodeRuntime, readFunction } from './settings.ts';

export type { Outcome } from './environment.ts';

export interface LambdaFunction {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** The `Timeout` of the template. */
  readonly timeoutSeconds: number;
  /**
   * The function gets the event as JSON would carry it. If all environments are busy, events of one `lane`, such as a
   * connection, take turns with those of others.
   * @default - a lane of its own
   */
  invoke(event: unknown, lane?: unknown): Promise<Outcome>;
  /** Whether the resource policy (AWS::Lambda::Permission) lets this service invoke the function for this source ARN. */
  permits(service: string, sourceArn: string): boolean;
}

/** The functions of a deployment. Each starts its environments with its first event. */
export interface Functions {
  byArn(arn: string): LambdaFunction | undefined;
  byName(name: string): LambdaFunction | undefined;
  /** A function in its role. Calls in its name count as uses of its grants. */
  principalOf(deployment: Deployment, lambda: Resource): Principal;
  /**
   * Reads the functions of another deployment. Throws a TemplateError for a mistake in it, and changes nothing then. The
   * returned function deploys them: a function whose code, settings and rights are the same keeps its environments. Any
   * other one finishes its events and ends.
   */
  prepare(deployment: Deployment): () => void;
  close(): Promise<void>;
}

/** What a function is made from. Two of them with the same JSON are the same function. */
interface FunctionSource {
  readonly settings: FunctionSettings;
  readonly principal: Principal;
}

interface Deployed {
  readonly source: string;
  readonly pool: FunctionPool;
  readonly lambda: LambdaFunction;
}

export function createFunctions(options: {
  readonly deployment: Deployment;
  /** Issues the keys of each function's role. */
  readonly keys: KeyRing;
  readonly grantUse: Pick<GrantUse, 'observed'>;
  readonly meter: Meter;
  readonly faults: Faults;
  readonly onOutput: (functionName: string, text: string) => void;
}): Functions {
  const { keys, grantUse, meter, faults, onOutput } = options;
  const principalOf = (deployment: Deployment, lambda: Resource): Principal =>
    grantUse.observed(lambda.logicalId, principalOfFunction(deployment, lambda));
  const retired = new Set<Promise<void>>();
  let permissions: readonly Resource[] = [];
  let deployed: readonly Deployed[] = [];
  let functions: readonly LambdaFunction[] = [];
  prepare(options.deployment)();

  const byArn = (arn: string): LambdaFunction | undefined =>
    functions.find((lambda) => lambda.arn === arn.replace(/:\$LATEST$/, ''));
  return {
    byArn,
    byName: (name) => functions.find((lambda) => lambda.name === name && lambda.arn.endsWith(`:${name}`)),
    principalOf,
    prepare,
    async close() {
      await Promise.all([...deployed.map(({ pool }) => pool.close()), ...retired]);
    },
  };

  function prepare(deployment: Deployment): () => void {
    const [runnable, inert] = partition(deployment.ofType('AWS::Lambda::Function'), hasNodeRuntime);
    // The whole template is read before a pool writes to the disk: a mistake in it leaves nothing behind.
    const sources = runnable.map((resource) => ({
      settings: readFunction(deployment, resource),
      principal: principalOf(deployment, resource),
    }));
    return () => {
      const before = deployed;
      permissions = deployment.ofType('AWS::Lambda::Permission');
      deployed = sources.map((source) => same(before, source) ?? deploy(deployment, source));
      const unqualified = [
        ...deployed.map(({ lambda }) => lambda),
        ...inert.map((resource) => inertFunction(deployment, resource, onOutput)),
      ];
      functions = [...unqualified, ...qualified(deployment, unqualified)];
      for (const each of before.filter((one) => !deployed.includes(one))) retire(each.pool);
    };
  }

  /** A version or an alias has a resource policy of its own. Its code is that of the function. */
  function qualified(
    deployment: Deployment,
    unqualified: readonly LambdaFunction[],
  ): readonly LambdaFunction[] {
    return [...deployment.ofType('AWS::Lambda::Version'), ...deployment.ofType('AWS::Lambda::Alias')]
      .map(({ logicalId }) => deployment.physicalId(logicalId))
      .flatMap((arn) =>
        unqualified
          .filter((lambda) => arn.startsWith(`${lambda.arn}:`))
          .map((lambda) => ({ ...lambda, arn, permits: permitsOf(arn) })),
      );
  }

  function permitsOf(arn: string): LambdaFunction['permits'] {
    return (service, sourceArn) =>
      permissions.some((permission) => permitsCall(permission, arn, service, sourceArn));
  }

  function same(before: readonly Deployed[], source: FunctionSource): Deployed | undefined {
    const text = JSON.stringify(source);
    return before.find((each) => each.source === text);
  }

  function deploy({ region, endpoint }: Deployment, source: FunctionSource): Deployed {
    const { logicalId, name, arn, timeoutSeconds } = source.settings;
    const pool = new FunctionPool({
      settings: source.settings,
      credentials: keys.issue(source.principal),
      region,
      endpoint,
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
      invoke: (event, lane = Symbol()) => pool.invoke(event, lane),
      permits: permitsOf(arn),
    };
    return { source: JSON.stringify(source), pool, lambda };
  }

  function retire(pool: FunctionPool): void {
    const ended = pool.retire().finally(() => retired.delete(ended));
    retired.add(ended);
  }
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
