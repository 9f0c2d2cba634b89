import { pathOf, queryOf } from '../gateway/request.ts';
import { authorize } from '../iam/authorize.ts';
import { asRecord, asText, type JsonRecord, parseJson } from '../json.ts';
import { notRunHere } from '../services/not-run-here.ts';
import { type Reply, verificationCodes } from '../services/reply.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { HttpRequest } from '../sigv4/request.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment } from '../template/template.ts';
import type { Schedule } from './schedule.ts';
import { createSchedules } from './schedules.ts';

export interface Scheduler {
  /** Whether a request that is signed for this service has a path of it. */
  readonly hasPathOf: (request: HttpRequest) => boolean;
  readonly handle: (request: HttpRequest) => Promise<Reply>;
  /** Takes the schedules of another deployment. Throws a TemplateError for one that cannot run. */
  readonly update: (deployment: Deployment) => void;
  /** Runs no schedule from now on. */
  readonly close: () => Promise<void>;
}

/**
 * The API of EventBridge Scheduler, with the schedules of the template. Schedules live in memory.
 * https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
 */
export function createScheduler(
  options: {
    readonly deployment: Deployment;
    readonly keys: KeyRing;
    readonly now: () => number;
  } & Parameters<typeof createSchedules>[0],
): Scheduler {
  const { keys, now } = options;
  const schedules = createSchedules(options);
  /** What the template says of each of its schedules. */
  let known: ReadonlyMap<string, string> = new Map();
  update(options.deployment);

  return {
    hasPathOf: ({ url }) => pathOf(url).split('/', 2)[1] === 'schedules',
    update,
    handle: (request) => Promise.resolve(handle(request)),
    close() {
      schedules.close();
      return Promise.resolve();
    },
  };

  /** A schedule that is the same runs on. Those that the API made stay. */
  function update(deployment: Deployment): void {
    schedules.update(deployment);
    const before = known;
    const declared = deployment.ofType('AWS::Scheduler::Schedule').map(({ logicalId, properties }) => {
      const group = asText(properties.GroupName) ?? 'default';
      return { logicalId, properties, group, name: deployment.physicalId(logicalId) };
    });
    known = new Map(declared.map((each) => [`${each.group}/${each.name}`, JSON.stringify(each)]));
    for (const { logicalId, properties, group, name } of declared) {
      const id = `${group}/${name}`;
      if (before.get(id) === known.get(id)) continue;
      const made = schedules.put(group, name, properties);
      if (typeof made === 'string') throw new TemplateError(`${logicalId}: ${made}`);
    }
    for (const id of before.keys()) {
      const [group = '', name = ''] = id.split('/');
      if (!known.has(id)) schedules.delete(group, name);
    }
  }

  function handle(request: HttpRequest): Reply {
    const verification = keys.verify(request, 'scheduler', new Date(now()));
    if (!verification.ok) return failure(403, verificationCodes[verification.reason], verification.message);
    const [, collection, encodedName, ...rest] = pathOf(request.url).split('/');
    const operation = operations[`${request.method} ${encodedName === undefined ? 'all' : 'one'}`];
    if (collection !== 'schedules' || operation === undefined || rest.length > 0) return notRunHere(request);
    const query = new URLSearchParams(queryOf(request.url));
    const input = asRecord(parseJson(request.body.toString('utf8'))?.value);
    const group = asText(input.GroupName) ?? query.get('groupName') ?? 'default';
    const name = decodeURIComponent(encodedName ?? '');

    const grants: [string, string][] = [
      [`scheduler:${operation}`, operation === 'ListSchedules' ? '*' : schedules.arnOf(group, name)],
    ];
    // Who makes a schedule hands its role to the service (using-eventbridge-scheduler-execution-role).
    const roleArn = asText(asRecord(input.Target).RoleArn);
    if (roleArn !== undefined) grants.push(['iam:PassRole', roleArn]);
    for (const [action, resource] of grants) {
      const decision = authorize(verification.principal, action, resource);
      if (!decision.allowed) return failure(403, 'AccessDeniedException', decision.message);
    }
    if (operation === 'ListSchedules') return list(query);
    if (!schedules.hasGroup(group)) return missing(`Schedule group ${group} does not exist.`);
    return answer(operation, group, name, input);
  }

  function answer(operation: Operation, group: string, name: string, input: JsonRecord): Reply {
    const known = schedules.find(group, name);
    if (operation === 'CreateSchedule') {
      return known === undefined
        ? put()
        : failure(409, 'ConflictException', `Schedule ${name} already exists.`);
    }
    if (known === undefined) return missing(`Schedule ${name} does not exist.`);
    if (operation === 'UpdateSchedule') return put();
    if (operation === 'GetSchedule') return json(200, known.description);
    schedules.delete(group, name);
    return json(200, {});

    function put(): Reply {
      const made = schedules.put(group, name, input);
      return typeof made === 'string'
        ? failure(400, 'ValidationException', made)
        : json(200, { ScheduleArn: made.arn });
    }
  }

  function list(query: URLSearchParams): Reply {
    const group = query.get('ScheduleGroup');
    const prefix = query.get('NamePrefix') ?? '';
    const state = query.get('State');
    const found = schedules
      .list()
      .filter((it) => group === null || it.group === group)
      .filter(({ name }) => name.startsWith(prefix))
      .filter(({ description }) => state === null || description.State === state);
    const start = Number(query.get('NextToken') ?? 0);
    const end = start + Number(query.get('MaxResults') ?? 100);
    return json(200, {
      Schedules: found.slice(start, end).map(summary),
      ...(end < found.length ? { NextToken: String(end) } : {}),
    });
  }
}

type Operation = 'CreateSchedule' | 'GetSchedule' | 'UpdateSchedule' | 'DeleteSchedule' | 'ListSchedules';

const operations: Readonly<Record<string, Operation>> = {
  'POST one': 'CreateSchedule',
  'GET one': 'GetSchedule',
  'PUT one': 'UpdateSchedule',
  'DELETE one': 'DeleteSchedule',
  'GET all': 'ListSchedules',
};

function summary({ name, group, arn, targetArn, description }: Schedule): JsonRecord {
  return { Arn: arn, Name: name, GroupName: group, State: description.State, Target: { Arn: targetArn } };
}

function missing(message: string): Reply {
  return failure(404, 'ResourceNotFoundException', message);
}

function failure(status: number, code: string, message: string): Reply {
  const reply = json(status, { Message: message });
  return { ...reply, headers: { ...reply.headers, 'x-amzn-errortype': code }, detail: code };
}

function json(status: number, value: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
