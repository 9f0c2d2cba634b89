import { buildApp } from 'fauxqs';
import { asRecord, asText, asTexts, type JsonRecord, parseJson } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';

export interface SqsAnswer {
  readonly status: number;
  /** The error code of the older protocol, which SDKs still read. */
  readonly queryError: string | undefined;
  readonly body: JsonRecord;
}

/** A queue engine. It knows queues by URL; its callers know them by name. */
export interface SqsEngine {
  createQueue(name: string, attributes: Readonly<Record<string, string>>, logicalId: string): Promise<void>;
  has(name: string): boolean;
  names(): readonly string[];
  call(operation: string, queueName: string, input: JsonRecord): Promise<SqsAnswer>;
  close(): Promise<void>;
}

/** Opens fauxqs in this process. Requests are injected, so it needs no port. */
export function openSqsEngine(region: string): SqsEngine {
  const app = buildApp({ logger: false, defaultRegion: region });
  const urls = new Map<string, string>();

  return {
    async createQueue(name, attributes, logicalId) {
      const { status, body } = await post('CreateQueue', { QueueName: name, Attributes: attributes });
      const url = asText(body.QueueUrl);
      if (status !== 200 || url === undefined)
        throw new TemplateError(`${logicalId}: ${String(body.message)}`);
      urls.set(name, url);
    },
    has: (name) => urls.has(name),
    names: () => [...urls.keys()],
    call: (operation, queueName, input) =>
      post(operation, { ...input, QueueUrl: urls.get(queueName) ?? queueName }),
    close: () => app.close(),
  };

  async function post(operation: string, input: JsonRecord): Promise<SqsAnswer> {
    const response = await app.inject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` },
      payload: JSON.stringify(input),
    });
    return {
      status: response.statusCode,
      queryError: asTexts(response.headers['x-amzn-query-error'])[0],
      body: asRecord(parseJson(response.payload)?.value),
    };
  }
}
