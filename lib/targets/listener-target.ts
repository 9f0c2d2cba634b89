import { Token } from 'aws-cdk-lib';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { urlFault } from '../../core/targets/rules.ts';
import { targetTimeoutMs } from '../../core/timing.ts';
import type { LifecycleTargetSettings, TargetSettings } from '../../lambdas/environment.ts';
import { SettingsError } from '../settings/settings.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';

// CDK's Secret and EventBus are no ISecret and IEventBus under `exactOptionalPropertyTypes`, so only members are asked for.

export interface TargetOptions {
  /**
   * How long the target may take to answer, in milliseconds: 100 to 25,000.
   * @default 5000
   */
  readonly timeoutMs?: number;
}

export interface HttpTargetOptions extends TargetOptions {
  /** Signs the posts. Its text is base64 of at least 24 bytes, with or without `whsec_` in front. */
  readonly secret: Pick<ISecret, 'secretArn' | 'grantRead'>;
}

/** A target of sessions that begin and end. */
export interface LifecycleTarget {
  /** Lets a function call the target. Returns what the function reads. */
  bind(fn: SwitchboardFunction): LifecycleTargetSettings;
}

/** A target of messages, which may also be a target of sessions that begin and end. */
export interface ListenerTarget extends LifecycleTarget {
  bind(fn: SwitchboardFunction): TargetSettings;
}

/** Listeners in any language: functions, HTTPS endpoints, and event buses for the lifecycle of sessions. */
export const ListenerTarget = {
  /** A Lambda function, invoked synchronously. */
  lambda(fn: IFunction, options: TargetOptions = {}): ListenerTarget {
    const settings = { lambda: fn.functionArn, timeoutMs: timeoutOf(options) };
    return {
      bind(caller) {
        // grantInvoke() would add `:*`, which allows every version and alias.
        caller.allow(['lambda:InvokeFunction'], [fn.functionArn]);
        return settings;
      },
    };
  },

  /** An HTTPS endpoint. Posts are signed as the Standard Webhooks specification says. */
  http(url: string, { secret, ...options }: HttpTargetOptions): ListenerTarget {
    const fault = Token.isUnresolved(url) ? undefined : urlFault(url);
    if (fault !== undefined) throw new SettingsError(`The URL ${url} of a target ${fault}.`);
    const settings = { url, secret: secret.secretArn, timeoutMs: timeoutOf(options) };
    return {
      bind(caller) {
        secret.grantRead(caller);
        return settings;
      },
    };
  },

  /** An event bus of EventBridge. Source: `switchboard`; detail types: `Session Connected`, `Session Disconnected`. */
  eventBus(bus: Pick<IEventBus, 'eventBusArn'>): LifecycleTarget {
    return {
      bind(caller) {
        caller.allow(['events:PutEvents'], [bus.eventBusArn]);
        return { eventBus: bus.eventBusArn };
      },
    };
  },
};

function timeoutOf({ timeoutMs = targetTimeoutMs.default }: TargetOptions): number {
  const { least, most } = targetTimeoutMs;
  if (Number.isInteger(timeoutMs) && timeoutMs >= least && timeoutMs <= most) return timeoutMs;
  throw new SettingsError(
    `The timeoutMs of a target is ${timeoutMs}; allowed: a whole number from ${least} to ${most}.`,
  );
}
