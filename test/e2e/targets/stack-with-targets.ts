import path from 'node:path';
import { CfnOutput } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { ListenerTarget } from '../../../lib/targets/listener-target.ts';
import type { Stack } from '../stack.ts';
import { startSynthesised, targetParts } from '../synthesised-stack.ts';

/** A function in plain JavaScript. `slow` never answers. */
const ordersCode = `
exports.handler = async (event) => {
  if (event.kind !== 'message') return console.log('told ' + JSON.stringify(event));
  if (event.type === 'order-throw') throw new Error('swordfish');
  if (event.type === 'slow') return new Promise(() => setTimeout(() => undefined, 60_000));
  if (event.type === 'order-refuse') return { error: { code: 'not_found', message: 'There is no such order.' } };
  if (event.type === 'order-error') return { error: { code: event.content, message: 'In its own words.' } };
  if (event.type === 'order-null') return null;
  return { content: event };
};`;

/** A stack with targets: a function, an endpoint on this machine, and an event bus with a rule to the queue `HeardUrl`. */
export function startStackWithTargets(endpointUrl: string): Promise<Stack> {
  const listeners = path.join(import.meta.dirname, 'listeners.ts');
  return startSynthesised({ listeners }, (stack) => {
    const { orders, secret } = targetParts(stack, ordersCode);
    const { switchboard } = stack;
    switchboard.addTarget('order-*', ListenerTarget.lambda(orders, { timeoutMs: 20_000 }));
    switchboard.addTarget('slow', ListenerTarget.lambda(orders, { timeoutMs: 300 }));
    switchboard.addTarget('crm-*', ListenerTarget.http(`${endpointUrl}/crm`, { secret, timeoutMs: 2000 }));
    switchboard.addLifecycleTarget(ListenerTarget.lambda(orders, { timeoutMs: 20_000 }));
    switchboard.addLifecycleTarget(ListenerTarget.http(`${endpointUrl}/lifecycle`, { secret }));
    switchboard.addLifecycleTarget(ListenerTarget.http(`${endpointUrl}/failing`, { secret }));
    const eventBus = new EventBus(stack, 'Bus');
    const heard = new Queue(stack, 'Heard');
    switchboard.addLifecycleTarget(ListenerTarget.eventBus(eventBus));
    new Rule(stack, 'Sessions', {
      eventBus,
      eventPattern: { source: ['switchboard'] },
      targets: [new SqsQueue(heard)],
    });
    new CfnOutput(stack, 'HeardUrl', { value: heard.queueUrl });
  });
}
