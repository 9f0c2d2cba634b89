import path from 'node:path';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { fanOutPageMs } from '../../../core/timing.ts';
import type { SwitchboardStackSettings } from '../../../lib/switchboard-stack.ts';
import { ListenerTarget } from '../../../lib/targets/listener-target.ts';
import type { Stack } from '../stack.ts';
import { startSynthesised, targetParts } from '../synthesised-stack.ts';

/** A function in plain JavaScript, which answers with what it gets. */
const ordersCode = `
exports.handler = async (event) => {
  if (event.type === 'order-fail') throw new Error('The target has a bug.');
  return event.kind === 'message' ? { content: event.content } : null;
};`;

/** Small limits: three sessions need a fan-out, and its worker takes more than a second for two of them. */
const settings: SwitchboardStackSettings = {
  listeners: path.join(import.meta.dirname, 'listeners.ts'),
  logLevel: 'DEBUG',
  shards: 1,
  inlineLimit: 2,
  fanOutRate: 2,
  fanOutWorkers: 2,
  durableTopics: ['orders.*'],
  connectionRate: { rateLimit: 100_000, burstLimit: 100_000 },
  maxSessionsPerUser: 3,
  scheduledPublishes: true,
  presence: true,
  presenceGraceSeconds: 1,
};

/** A stack with every kind of target, and with every part that a setting adds. */
export function startWholeStack(endpointUrl: string, changes: SwitchboardStackSettings = {}): Promise<Stack> {
  return startSynthesised({ ...settings, ...changes }, (stack) => {
    const { switchboard } = stack;
    // So little time that the worker puts the rest of a job back into the queue after each page.
    const worker = switchboard.node.findChild('FanOut').node.defaultChild;
    if (worker instanceof CfnFunction) worker.timeout = fanOutPageMs / 1000 + 1;
    const { orders, secret } = targetParts(stack, ordersCode);
    switchboard.addTarget('order-*', ListenerTarget.lambda(orders));
    switchboard.addTarget('crm-*', ListenerTarget.http(`${endpointUrl}/crm`, { secret }));
    switchboard.addLifecycleTarget(ListenerTarget.lambda(orders));
    switchboard.addLifecycleTarget(ListenerTarget.http(`${endpointUrl}/lifecycle`, { secret }));
    switchboard.addLifecycleTarget(ListenerTarget.eventBus(new EventBus(stack, 'Bus')));
  });
}
