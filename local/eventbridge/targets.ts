import { asText, parseJson } from '../json.ts';
import type { Functions, LambdaFunction } from '../lambda/functions.ts';
import type { LambdaApi } from '../lambda/invoke.ts';
import type { Log } from '../log.ts';
import type { Sqs } from '../sqs/sqs.ts';

/** Where a rule or a schedule sends its payload. */
export interface Target {
  readonly arn: string;
  /** JSON, or any text for a queue. */
  readonly payload: string;
  /** For a FIFO queue. */
  readonly messageGroupId?: string | undefined;
  /** A queue that gets what cannot be delivered. */
  readonly deadLetterArn?: string | undefined;
}

/** Why a target may not be called; `undefined` if it may. */
export type MayCall = (target: {
  readonly arn: string;
  readonly lambda?: LambdaFunction;
}) => string | undefined;

/** Delivers to functions and queues, as EventBridge and its Scheduler do. */
export interface Targets {
  /** `what` names the rule or the schedule in the log. */
  deliver(what: string, target: Target, mayCall: MayCall): Promise<void>;
}

/**
 * AWS tries again for 24 hours what it cannot deliver. Here a target that is missing or refused stays so, so it is logged
 * and goes to the dead-letter queue at once. The retries of a function that fails are those of asynchronous invocations.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
 */
export function createTargets(options: {
  readonly functions: Functions;
  readonly lambda: Pick<LambdaApi, 'invokeAsync'>;
  readonly sqs: Pick<Sqs, 'call'>;
  readonly log: Log;
}): Targets {
  const { functions, lambda: api, sqs, log } = options;

  return {
    async deliver(what, target, mayCall) {
      const startedAt = performance.now();
      const failure = await send(target, mayCall);
      const ms = performance.now() - startedAt;
      if (failure === undefined) {
        log.request({ what, status: 'ok', ms });
        return;
      }
      log.request({ what, status: 'failed', ms, detail: failure });
      const { deadLetterArn, payload } = target;
      const lost = deadLetterArn === undefined ? undefined : await sendToQueue(deadLetterArn, payload);
      if (lost !== undefined) log.request({ what, status: 'failed', ms, detail: `dead letters: ${lost}` });
    },
  };

  async function send(
    { arn, payload, messageGroupId }: Target,
    mayCall: MayCall,
  ): Promise<string | undefined> {
    if (arn.includes(':sqs:')) return mayCall({ arn }) ?? sendToQueue(arn, payload, messageGroupId);
    if (!arn.includes(':lambda:')) return `its target ${arn} does not run here: only functions and queues do`;
    const lambda = functions.byArn(arn);
    if (lambda === undefined) return `its function ${arn} is not in the template`;
    const refusal = mayCall({ arn, lambda });
    if (refusal !== undefined) return refusal;
    const event = parseJson(payload);
    if (event === undefined) return 'its input is not JSON, which a function needs';
    api.invokeAsync(lambda, event.value);
    return undefined;
  }

  async function sendToQueue(arn: string, body: string, group?: string): Promise<string | undefined> {
    const { status, body: answer } = await sqs.call('SendMessage', arn.split(':').at(-1) ?? '', {
      MessageBody: body,
      ...(group === undefined ? {} : { MessageGroupId: group }),
    });
    return status === 200
      ? undefined
      : `its queue ${arn} answered ${asText(answer.__type) ?? String(status)}`;
  }
}
