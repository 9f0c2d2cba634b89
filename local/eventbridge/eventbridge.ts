import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import {
  asList,
  asNumber,
  asRecord,
  asText,
  asTexts,
  isRecord,
  type JsonRecord,
  parseJson,
} from '../json.ts';
import type { Meter } from '../meter.ts';
import { readPeriod, readTimes, runAt } from '../scheduler/expression.ts';
import { callerOf, errorReply, inputOf, jsonReply, refusal, type Reply } from '../services/reply.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { HttpRequest } from '../sigv4/request.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';
import { inputFor } from './input.ts';
import { type Pattern, readPattern } from './pattern.ts';
import type { Targets } from './targets.ts';

export interface EventBridge {
  readonly handle: (request: HttpRequest, operation: string) => Promise<Reply>;
  /** Ends the schedules of the rules. */
  readonly close: () => Promise<void>;
}

interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly bus: string;
  readonly matches: Pattern | undefined;
  readonly targets: readonly JsonRecord[];
}

/** "Array Members: Minimum number of 1 item. Maximum number of 10 items" (API_PutEvents). */
const maxEntries = 10;
/** "64 KB chunk of a payload is billed as one event" (https://aws.amazon.com/eventbridge/pricing/). */
const meteredBytes = 64 * 1024;

/** The event buses and rules of the template. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
export function createEventBridge(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly targets: Targets;
  readonly meter: Meter;
  readonly clock: Clock;
  readonly now: () => number;
}): EventBridge {
  const { deployment, keys, targets, meter, clock, now } = options;
  const { region, accountId } = deployment;
  const buses = new Set([
    'default',
    ...deployment.ofType('AWS::Events::EventBus').map(({ logicalId }) => deployment.physicalId(logicalId)),
  ]);
  const enabled = deployment
    .ofType('AWS::Events::Rule')
    .filter(({ properties }) => properties.State !== 'DISABLED');
  const rules = enabled.map((resource) => readRule(deployment, resource));
  const cancels = enabled.flatMap((resource, at) => {
    const rule = rules[at];
    return rule === undefined ? [] : startSchedule(resource, rule);
  });

  return {
    handle: (request, operation) => Promise.resolve(handle(request, operation)),
    close() {
      for (const cancel of cancels) cancel();
      return Promise.resolve();
    },
  };

  function handle(request: HttpRequest, operation: string): Reply {
    const caller = callerOf(keys, request, 'events', new Date(now()));
    if (!caller.ok) return caller.reply;
    if (operation !== 'PutEvents')
      return errorReply(400, 'UnknownOperationException', `${operation} is not supported here.`);
    const input = inputOf(request);
    if (!input.ok) return input.reply;
    const entries = asList(input.value.Entries).map(asRecord);
    const arns = entries.map((entry) => busArn(busOf(entry)));
    const denied = refusal(caller.value, 'events:PutEvents', [...new Set(arns)]);
    if (denied !== undefined) return denied;
    if (entries.length < 1 || entries.length > maxEntries) {
      return errorReply(400, 'ValidationException', `Entries must have 1 to ${String(maxEntries)} members.`);
    }
    const results = entries.map(putEntry);
    return jsonReply({
      FailedEntryCount: results.filter((it) => 'ErrorCode' in it).length,
      Entries: results,
    });
  }

  function putEntry(entry: JsonRecord): JsonRecord {
    const bus = busOf(entry);
    const detail = parseJson(asText(entry.Detail) ?? '{}')?.value;
    const missing = ['Source', 'DetailType', 'Detail'].find((name) => (asText(entry[name]) ?? '') === '');
    if (missing !== undefined) {
      const message = `Parameter ${missing} is not valid. Reason: ${missing} is a required argument.`;
      return { ErrorCode: 'InvalidArgument', ErrorMessage: message };
    }
    if (!isRecord(detail)) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    if (!buses.has(bus)) {
      return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `Event bus ${bus} does not exist.` };
    }
    const at = asNumber(entry.Time);
    const event = eventOf(asText(entry.Source) ?? '', asText(entry.DetailType) ?? '', {
      detail,
      resources: asTexts(entry.Resources),
      at: at === undefined ? now() : at * 1000,
    });
    meter.count('events.published', Math.ceil(Buffer.byteLength(JSON.stringify(event)) / meteredBytes));
    for (const rule of rules) {
      if (rule.bus === bus && rule.matches?.(event) === true) send(rule, event);
    }
    return { EventId: event.id };
  }

  function send(rule: Rule, event: JsonRecord): void {
    const facts = { ruleArn: rule.arn, ruleName: rule.name, ingestionTime: new Date(now()).toISOString() };
    for (const target of rule.targets) {
      const arn = asText(target.Arn) ?? '';
      const delivery = {
        arn,
        payload: inputFor(target, event, facts),
        messageGroupId: asText(asRecord(target.SqsParameters).MessageGroupId),
        deadLetterArn: asText(asRecord(target.DeadLetterConfig).Arn),
      };
      void targets.deliver(`RULE ${rule.name} ${asText(target.Id) ?? ''}`, delivery, ({ lambda }) =>
        lambda === undefined || lambda.permits('events.amazonaws.com', rule.arn)
          ? undefined
          : `no AWS::Lambda::Permission lets events.amazonaws.com invoke the function from ${rule.arn}`,
      );
    }
  }

  /** Times of rules are in UTC. A rate begins one period after the start. */
  function startSchedule({ logicalId, properties }: Resource, rule: Rule): readonly (() => void)[] {
    const expression = asText(properties.ScheduleExpression);
    if (expression === undefined) return [];
    const period = readPeriod(/^rate\((.*)\)$/.exec(expression)?.[1] ?? '') ?? 0;
    const times = expression.startsWith('at(')
      ? undefined
      : readTimes(expression, { rateStartsAt: clock.now() + period });
    if (times === undefined)
      throw new TemplateError(`${logicalId}: ${expression} is no schedule expression.`);
    const start = (dueAt: number): void => {
      send(rule, eventOf('aws.events', 'Scheduled Event', { detail: {}, resources: [rule.arn], at: dueAt }));
    };
    return [runAt(clock, times, start)];
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
  function eventOf(
    source: string,
    detailType: string,
    { detail, resources, at }: { detail: JsonRecord; resources: readonly string[]; at: number },
  ): JsonRecord {
    const time = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
    const head = { version: '0', id: randomUUID(), 'detail-type': detailType, source, account: accountId };
    return { ...head, time, region, resources, detail };
  }

  function busArn(bus: string): string {
    return `arn:aws:events:${region}:${accountId}:event-bus/${bus}`;
  }
}

function busOf({ EventBusName }: JsonRecord): string {
  return asText(EventBusName)?.split('/').at(-1) ?? 'default';
}

function readRule(deployment: Deployment, { logicalId, properties }: Resource): Rule {
  const { EventPattern, Targets } = properties;
  return {
    name: deployment.physicalId(logicalId).split('|').at(-1) ?? '',
    arn: deployment.attribute(logicalId, 'Arn'),
    bus: busOf(properties),
    matches: EventPattern === undefined ? undefined : readPattern(asRecord(EventPattern), logicalId),
    targets: asList(Targets).map(asRecord),
  };
}
