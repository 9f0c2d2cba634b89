import { EventBus } from 'aws-cdk-lib/aws-events';
import { describe, expect, it } from 'vitest';
import { ListenerTarget } from '../../lib/targets/listener-target.ts';
import { createStack, resourcesOf, type TemplateResource } from './stack-under-test.ts';

describe('the setting reservedConcurrency', () => {
  const reservedOf = (among: readonly TemplateResource[]) =>
    Object.fromEntries(
      among.map(({ logicalId: id, properties }) => [id, properties['ReservedConcurrentExecutions']]),
    );

  it('keeps executions for the functions that it names, and is empty by default', () => {
    const reservedConcurrency = { publish: 50, 'fan-out': 8, lifecycle: 2 };
    const own = createStack({ reservedConcurrency });
    own.switchboard.addLifecycleTarget(ListenerTarget.eventBus(new EventBus(own, 'Bus')));
    expect(reservedOf(resourcesOf(own, 'AWS::Lambda::Function'))).toMatchObject({
      Publish: 50,
      FanOut: 8,
      LifecycleFunction: 2,
      Message: undefined,
    });
    expect(new Set(Object.values(reservedOf(resourcesOf(createStack(), 'AWS::Lambda::Function'))))).toEqual(
      new Set([undefined]),
    );
  });
});
