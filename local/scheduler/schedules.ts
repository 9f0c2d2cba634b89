import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Targets } from '../eventbridge/targets.ts';
import { authorize, type Principal } from '../iam/authorize.ts';
import { principalOfRole, roleWithArn, trusts } from '../iam/roles.ts';
import type { JsonRecord } from '../json.ts';
import type { Meter } from '../meter.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';
import { runAt } from './expression.ts';
import { readSchedule, type Schedule } from './schedule.ts';

/** The schedules of the cloud, which run on its clock. */
export interface Schedules {
  arnOf(group: string, name: string): string;
  find(group: string, name: string): Schedule | undefined;
  list(): readonly Schedule[];
  hasGroup(group: string): boolean;
  /** Makes or replaces a schedule. A text names the fault of an invalid one. */
  put(group: string, name: string, input: JsonRecord): Schedule | string;
  delete(group: string, name: string): boolean;
  /** Takes the groups and roles of another deployment. */
  update(deployment: Deployment): void;
  close(): void;
}

/** "All schedule types […] invoke their targets with 60 second precision": a time just past still runs. */
const precisionMs = 60_000;

export function createSchedules(options: {
  readonly deployment: Deployment;
  readonly targets: Targets;
  readonly meter: Meter;
  readonly clock: Clock;
}): Schedules {
  const { targets, meter, clock } = options;
  const { region, accountId } = options.deployment;
  let { deployment } = options;
  const running = new Map<string, { readonly schedule: Schedule; readonly cancel: () => void }>();

  const schedules: Schedules = {
    arnOf: (group, name) => `arn:aws:scheduler:${region}:${accountId}:schedule/${group}/${name}`,
    find: (group, name) => running.get(`${group}/${name}`)?.schedule,
    list: () => [...running.values()].map(({ schedule }) => schedule),
    hasGroup: (group) => group === 'default' || groupsOf(deployment).includes(group),
    update(next) {
      deployment = next;
    },
    put(group, name, input) {
      const place = { name, group, arn: schedules.arnOf(group, name) };
      const schedule = readSchedule(input, place, clock.now());
      if (typeof schedule === 'string') return schedule;
      const role = roleWithArn(deployment, schedule.roleArn);
      if (role === undefined || !trusts(role, 'scheduler.amazonaws.com')) {
        return 'The execution role you provide must allow AWS EventBridge Scheduler to assume the role.';
      }
      const principal = readRole(role);
      if (typeof principal === 'string') return principal;
      schedules.delete(group, name);
      const entry = { schedule, cancel: (): void => undefined };
      running.set(`${group}/${name}`, entry);
      entry.cancel = start(schedule, principal);
      return schedule;
    },
    delete(group, name) {
      running.get(`${group}/${name}`)?.cancel();
      return running.delete(`${group}/${name}`);
    },
    close() {
      for (const { cancel } of running.values()) cancel();
    },
  };
  return schedules;

  /** A role with a policy that cannot be evaluated here is of no use. The text names the fault. */
  function readRole(role: Resource): Principal | string {
    try {
      return principalOfRole(deployment, role, 'scheduler');
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return error.message;
    }
  }

  function start(schedule: Schedule, principal: Principal): () => void {
    if (!schedule.isEnabled) return () => undefined;
    const end = (): void => {
      if (schedule.isDeletedAtEnd) schedules.delete(schedule.group, schedule.name);
    };
    const lateByMs = schedule.times.isRecurring ? 0 : precisionMs;
    return runAt(clock, schedule.times, (dueAt) => void run(schedule, principal, dueAt), end, lateByMs);
  }

  /** The role of the schedule calls the target, so the role needs the grant. */
  async function run(schedule: Schedule, principal: Principal, dueAt: number): Promise<void> {
    meter.count('scheduler.invocations');
    const { targetArn: arn, messageGroupId, deadLetterArn } = schedule;
    const target = { arn, payload: payloadOf(schedule, dueAt), messageGroupId, deadLetterArn };
    await targets.deliver(`SCHEDULE ${schedule.group}/${schedule.name}`, target, (called) => {
      const action = called.lambda === undefined ? 'sqs:SendMessage' : 'lambda:InvokeFunction';
      const decision = authorize(principal, action, called.arn);
      return decision.allowed ? undefined : decision.message;
    });
  }

  /** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html */
  function payloadOf({ arn, input }: Schedule, dueAt: number): string {
    const time = new Date(dueAt).toISOString().replace(/\.\d+Z$/, 'Z');
    const id = randomUUID();
    const attributes: Readonly<Record<string, string>> = {
      'schedule-arn': arn,
      'scheduled-time': time,
      'execution-id': id,
      'attempt-number': '1',
    };
    if (input !== undefined) {
      return input.replaceAll(
        /<aws\.scheduler\.([\w-]+)>/g,
        (match, name: string) => attributes[name] ?? match,
      );
    }
    const head = { version: '0', id, 'detail-type': 'Scheduled Event', source: 'aws.scheduler' };
    return JSON.stringify({ ...head, account: accountId, time, region, resources: [arn], detail: '{}' });
  }
}

function groupsOf(deployment: Deployment): readonly string[] {
  return deployment
    .ofType('AWS::Scheduler::ScheduleGroup')
    .map(({ logicalId }) => deployment.physicalId(logicalId));
}
