import type { StandardSchemaV1 } from '@standard-schema/spec';
import { appendKey, type ErrorDetail, Refusal } from '../../protocol/index.ts';
import { createListener, type Listener, type ListenerContext } from './listener.ts';
import type { Requirements } from './rights.ts';

// A list can have a fault in each item, and a schema may quote the content. The answer must fit into a frame.
const maxFaults = 10;
const maxMessageLength = 300;

/**
 * Defines a listener. `content` is a schema of any library that follows https://standardschema.dev, such as zod,
 * valibot or arktype. The result of `handle`, or of its promise, becomes the content of the `ack`. A `Refusal` that it
 * throws becomes an `error` frame. Any other error is logged and answered as `internal`.
 */
export function defineListener<Schema extends StandardSchemaV1>(listener: {
  readonly type: string;
  readonly content: Schema;
  /**
   * Claims that the sender's token must carry, such as `{ role: 'admin' }` or `{ role: ['admin', 'owner'] }`. A claim that
   * is a list must contain one of the values. The setting `claims` must name each claim. Otherwise the frame is `forbidden`.
   * @default - none
   */
  readonly requires?: Requirements;
  readonly handle: (context: ListenerContext<StandardSchemaV1.InferOutput<Schema>>) => unknown;
}): Listener {
  // An older version of a library, or JavaScript without types, would fail at each frame.
  if (!('~standard' in listener.content)) {
    const type = JSON.stringify(listener.type);
    throw new TypeError(
      `The content of the listener ${type} must be a schema as in https://standardschema.dev.`,
    );
  }
  const { type, content: schema, handle, requires } = listener;
  return createListener(
    type,
    (content) => readContent(schema, content),
    (context) => handle(context),
    requires,
  );
}

async function readContent<Schema extends StandardSchemaV1>(
  schema: Schema,
  content: unknown,
): Promise<StandardSchemaV1.InferOutput<Schema>> {
  const result = await schema['~standard'].validate(content);
  if (result.issues === undefined) return result.value;
  const details = result.issues.slice(0, maxFaults).map(faultOf);
  throw new Refusal(
    'bad_content',
    details.map(({ field, message }) => `${field}: ${message}`).join('; '),
    details,
  );
}

function faultOf({ path = [], message }: StandardSchemaV1.Issue): ErrorDetail {
  // A schema's path may be of a class of its own, whose `map` would make an instance of that class.
  const keys = Array.from(path, (segment) => (typeof segment === 'object' ? segment.key : segment));
  return { field: keys.reduce<string>(appendKey, 'content'), message: message.slice(0, maxMessageLength) };
}
