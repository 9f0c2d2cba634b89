import { asNumber, asRecord, asText, type JsonRecord, parseJson } from '../json.ts';
import { readTimes, type Times } from './expression.ts';

/** One schedule, as the API and the template describe it. */
export interface Schedule {
  readonly name: string;
  readonly group: string;
  readonly arn: string;
  readonly targetArn: string;
  readonly roleArn: string;
  readonly input: string | undefined;
  readonly messageGroupId: string | undefined;
  readonly deadLetterArn: string | undefined;
  readonly isEnabled: boolean;
  readonly isDeletedAtEnd: boolean;
  readonly times: Times;
  /** What `GetSchedule` shows. */
  readonly description: JsonRecord;
}

/**
 * Reads a schedule; a text that names the fault if it is not valid. Its role and group are checked elsewhere.
 * https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
 */
export function readSchedule(
  input: JsonRecord,
  place: { readonly name: string; readonly group: string; readonly arn: string },
  now: number,
): Schedule | string {
  const target = asRecord(input.Target);
  const targetArn = asText(target.Arn);
  const roleArn = asText(target.RoleArn);
  const expression = asText(input.ScheduleExpression) ?? '';
  if (!/^[\w.-]{1,64}$/.test(place.name)) return 'Name must have 1 to 64 letters, digits and `-_.`.';
  if (targetArn === undefined) return 'Target.Arn is missing.';
  if (roleArn === undefined) return 'Target.RoleArn is missing.';
  const { Mode, MaximumWindowInMinutes } = asRecord(input.FlexibleTimeWindow);
  if (Mode !== 'OFF' && (Mode !== 'FLEXIBLE' || asNumber(MaximumWindowInMinutes) === undefined)) {
    return 'FlexibleTimeWindow.Mode must be OFF, or FLEXIBLE with MaximumWindowInMinutes.';
  }
  const payload = asText(target.Input);
  // "If you are configuring a templated Lambda […] target, the input must be a well-formed JSON" (API_Target).
  if (payload !== undefined && targetArn.includes(':lambda:') && parseJson(payload) === undefined) {
    return 'Target.Input must be JSON for a function.';
  }
  const startsAt = epochMs(input.StartDate);
  const endsAt = epochMs(input.EndDate);
  const timeZone = asText(input.ScheduleExpressionTimezone) ?? 'UTC';
  // Without a start date, a rate begins at once (schedule-types).
  const times = readTimes(expression, { rateStartsAt: startsAt ?? now, timeZone });
  if (times === undefined) return `Invalid Schedule Expression ${expression}.`;
  return {
    ...place,
    targetArn,
    roleArn,
    input: payload,
    messageGroupId: asText(asRecord(target.SqsParameters).MessageGroupId),
    deadLetterArn: asText(asRecord(target.DeadLetterConfig).Arn),
    isEnabled: input.State !== 'DISABLED',
    isDeletedAtEnd: input.ActionAfterCompletion === 'DELETE',
    times: bounded(times, startsAt, endsAt),
    description: {
      ActionAfterCompletion: asText(input.ActionAfterCompletion) ?? 'NONE',
      Arn: place.arn,
      ...(input.Description === undefined ? {} : { Description: input.Description }),
      ...(startsAt === undefined ? {} : { StartDate: startsAt / 1000 }),
      ...(endsAt === undefined ? {} : { EndDate: endsAt / 1000 }),
      FlexibleTimeWindow: input.FlexibleTimeWindow,
      GroupName: place.group,
      Name: place.name,
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: timeZone,
      State: asText(input.State) ?? 'ENABLED',
      Target: target,
    },
  };
}

/** "EventBridge Scheduler ignores StartDate for one-time schedules", and EndDate too (API_CreateSchedule). */
function bounded(times: Times, startsAt: number | undefined, endsAt: number | undefined): Times {
  if (!times.isRecurring) return times;
  return {
    isRecurring: true,
    after(epoch) {
      const next = times.after(Math.max(epoch, (startsAt ?? 0) - 1));
      return next !== undefined && next <= (endsAt ?? Infinity) ? next : undefined;
    },
  };
}

/** Seconds since the epoch in the API, ISO 8601 in a template. */
function epochMs(value: unknown): number | undefined {
  if (typeof value === 'number') return value * 1000;
  const parsed = Date.parse(asText(value) ?? '');
  return Number.isNaN(parsed) ? undefined : parsed;
}
