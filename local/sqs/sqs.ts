import { asList, asNumber, asRecord, asText, isRecord, type JsonRecord, toText } from '../json.ts';
import type { Meter } from '../meter.ts';
import { callerOf, errorReply, inputOf, jsonReply, refusal, type Reply } from '../services/reply.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { HttpRequest } from '../sigv4/request.ts';
import { openSqsEngine, type SqsAnswer } from './engine.ts';
import { MessageGroups } from './groups.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** The IAM action of each operation. A batch needs the action of its single form. */
const actions: Readonly<Record<string, string>> = {
  SendMessage: 'sqs:SendMessage',
  SendMessageBatch: 'sqs:SendMessage',
  ReceiveMessage: 'sqs:ReceiveMessage',
  DeleteMessage: 'sqs:DeleteMessage',
  DeleteMessageBatch: 'sqs:DeleteMessage',
  ChangeMessageVisibility: 'sqs:ChangeMessageVisibility',
  ChangeMessageVisibilityBatch: 'sqs:ChangeMessageVisibility',
  GetQueueAttributes: 'sqs:GetQueueAttributes',
  GetQueueUrl: 'sqs:GetQueueUrl',
  ListQueues: 'sqs:ListQueues',
  PurgeQueue: 'sqs:PurgeQueue',
};

export interface Sqs {
  /** A call from outside. Its signature and its grants are checked. */
  readonly handle: (request: HttpRequest, operation: string) => Promise<Reply>;
  /** A call of the platform itself. It is metered like any other. */
  readonly call: (operation: string, queueName: string, input: JsonRecord) => Promise<SqsAnswer>;
  /** Makes the queues that another deployment adds. */
  readonly update: (deployment: Deployment) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts SQS with the queues of the template. It speaks the JSON protocol. */
export async function startSqs(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly meter: Meter;
  readonly now: () => number;
}): Promise<Sqs> {
  const { deployment, keys, meter, now } = options;
  const engine = openSqsEngine(deployment.region);
  const groups = new MessageGroups();
  let isClosed = false;
  await createQueues(deployment);

  return {
    async handle(request, operation) {
      const caller = callerOf(keys, request, 'sqs', new Date(now()));
      if (!caller.ok) return caller.reply;
      const action = Object.hasOwn(actions, operation) ? actions[operation] : undefined;
      if (action === undefined)
        return errorReply(400, 'UnknownOperationException', `${operation} is not supported here.`);
      const input = inputOf(request);
      if (!input.ok) return input.reply;
      const name = queueNameOf(input.value);
      const resource = operation === 'ListQueues' ? '*' : queueArn(name);
      const denied = refusal(caller.value, action, [resource]);
      if (denied !== undefined) return denied;
      return replyOf(await answer(operation, name, input.value));
    },
    call: answer,
    update: createQueues,
    async close() {
      isClosed = true;
      await engine.close();
    },
  };

  async function createQueues(from: Deployment): Promise<void> {
    for (const resource of from.ofType('AWS::SQS::Queue')) {
      const name = from.attribute(resource.logicalId, 'QueueName');
      if (!engine.has(name)) await engine.createQueue(name, attributesOf(resource), resource.logicalId);
    }
  }

  async function answer(operation: string, name: string, input: JsonRecord): Promise<SqsAnswer> {
    // At a shutdown, functions and deliveries may still be at work.
    if (isClosed) return { status: 503, queryError: undefined, body: { __type: 'ServiceUnavailable' } };
    const result = await perform(operation, name, input);
    // Each 64 KB that is sent or received is one request: https://aws.amazon.com/sqs/pricing/
    const payload = operation === 'ReceiveMessage' ? result.body : input;
    meter.count('sqs.requests', Math.max(1, Math.ceil(Buffer.byteLength(JSON.stringify(payload)) / 65_536)));
    return result;
  }

  async function perform(operation: string, name: string, input: JsonRecord): Promise<SqsAnswer> {
    if (operation === 'ListQueues') {
      const prefix = asText(input.QueueNamePrefix) ?? '';
      return good({
        QueueUrls: engine
          .names()
          .filter((known) => known.startsWith(prefix))
          .map(queueUrl),
      });
    }
    if (operation === 'GetQueueUrl' && engine.has(name)) return good({ QueueUrl: queueUrl(name) });
    if (operation === 'SendMessage' || operation === 'SendMessageBatch') {
      return groups.send(input, () => engine.call(operation, name, input));
    }
    const result = await engine.call(operation, name, input);
    if (operation === 'ReceiveMessage') return { ...result, body: await groups.receive(result.body) };
    if (operation.startsWith('DeleteMessage')) {
      for (const entry of [input, ...asList(input.Entries)])
        groups.forget(asText(asRecord(entry).ReceiptHandle) ?? '');
    }
    return result;
  }

  function queueArn(name: string): string {
    return `arn:aws:sqs:${deployment.region}:${deployment.accountId}:${name}`;
  }

  function queueUrl(name: string): string {
    return `${deployment.endpoint}/${deployment.accountId}/${name}`;
  }
}

/** The name of a queue is the last part of its URL. */
function queueNameOf({ QueueUrl: url, QueueName: name }: JsonRecord): string {
  return asText(name) ?? asText(url)?.split('/').pop() ?? '';
}

/** The properties that change the behaviour of a queue. Encryption and tags do not. */
function attributesOf({ properties }: Resource): Readonly<Record<string, string>> {
  const names = [
    ...['VisibilityTimeout', 'MaximumMessageSize', 'MessageRetentionPeriod', 'DelaySeconds'],
    ...['ReceiveMessageWaitTimeSeconds', 'FifoQueue', 'ContentBasedDeduplication'],
  ];
  const plain = names.flatMap((name) =>
    properties[name] === undefined ? [] : [[name, toText(properties[name])] as const],
  );
  const redrive = properties.RedrivePolicy;
  if (!isRecord(redrive)) return Object.fromEntries(plain);
  const policy = JSON.stringify({ ...redrive, maxReceiveCount: asNumber(redrive.maxReceiveCount) });
  return Object.fromEntries([...plain, ['RedrivePolicy', policy] as const]);
}

function good(body: JsonRecord): SqsAnswer {
  return { status: 200, queryError: undefined, body };
}

function replyOf({ status, queryError, body }: SqsAnswer): Reply {
  const reply = jsonReply(body, status);
  return queryError === undefined
    ? reply
    : { ...reply, headers: { ...reply.headers, 'x-amzn-query-error': queryError } };
}
