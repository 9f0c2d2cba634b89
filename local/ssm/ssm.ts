import { asBoolean, asNumber, asText, asTexts, type JsonRecord, toText } from '../json.ts';
import type { Meter } from '../meter.ts';
import { callerOf, errorReply, inputOf, jsonReply, refusal, type Reply } from '../services/reply.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { HttpRequest } from '../sigv4/request.ts';
import type { Deployment } from '../template/template.ts';

interface Parameter {
  readonly Name: string;
  readonly Type: string;
  readonly Value: string;
  readonly Version: number;
  readonly LastModifiedDate: number;
  readonly ARN: string;
  readonly DataType: 'text';
}

/** "The maximum value size of a standard parameter is 4 KB" (sysman-paramstore-parameters quotas). */
const maxValueBytes = 4096;

/**
 * The parameters of Systems Manager: those of the template, and what functions put there. Only the last version is kept.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export function createParameterStore(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly meter: Meter;
  readonly now: () => number;
}): (request: HttpRequest, operation: string) => Promise<Reply> {
  const { deployment, keys, meter, now } = options;
  const parameters = new Map<string, Parameter>();
  for (const { logicalId, properties } of deployment.ofType('AWS::SSM::Parameter')) {
    const name = deployment.physicalId(logicalId);
    store(name, asText(properties.Type) ?? 'String', toText(properties.Value));
  }

  const operations: Readonly<Record<string, (input: JsonRecord) => Reply>> = {
    GetParameter,
    GetParameters,
    GetParametersByPath,
    PutParameter,
    DeleteParameter,
  };
  return (request, operation) => Promise.resolve(handle(request, operation));

  function handle(request: HttpRequest, operation: string): Reply {
    const caller = callerOf(keys, request, 'ssm', new Date(now()));
    if (!caller.ok) return caller.reply;
    const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (run === undefined)
      return errorReply(400, 'UnknownOperationException', `${operation} is not supported here.`);
    const input = inputOf(request);
    if (!input.ok) return input.reply;
    const { Name, Names, Path } = input.value;
    const resources = [...asTexts(Name ?? Names), ...asTexts(Path)].map((name) => arnOf(selected(name).name));
    const denied = refusal(caller.value, `ssm:${operation}`, resources);
    if (denied !== undefined) return denied;
    meter.count(`ssm.${operation}`);
    return run(input.value);
  }

  function GetParameter({ Name, WithDecryption }: JsonRecord): Reply {
    const { name, version } = selected(asText(Name) ?? '');
    const found = parameters.get(name);
    if (found === undefined) return failure('ParameterNotFound');
    if (version !== undefined && version !== String(found.Version))
      return failure('ParameterVersionNotFound');
    return jsonReply({ Parameter: shown(found, WithDecryption) });
  }

  function GetParameters({ Names, WithDecryption }: JsonRecord): Reply {
    const names = asTexts(Names);
    const found = names.flatMap((name) => parameters.get(selected(name).name) ?? []);
    return jsonReply({
      Parameters: found.map((parameter) => shown(parameter, WithDecryption)),
      InvalidParameters: names.filter((name) => !parameters.has(selected(name).name)),
    });
  }

  function GetParametersByPath({
    Path,
    Recursive,
    WithDecryption,
    MaxResults,
    NextToken,
  }: JsonRecord): Reply {
    const folder = `${(asText(Path) ?? '').replace(/\/$/, '')}/`;
    const below = [...parameters.values()]
      .filter(({ Name }) => Name.startsWith(folder))
      .filter(({ Name }) => asBoolean(Recursive) === true || !Name.slice(folder.length).includes('/'))
      .sort((a, b) => (a.Name < b.Name ? -1 : 1));
    const start = asNumber(NextToken) ?? 0;
    const end = start + (asNumber(MaxResults) ?? 10);
    return jsonReply({
      Parameters: below.slice(start, end).map((parameter) => shown(parameter, WithDecryption)),
      ...(end < below.length ? { NextToken: String(end) } : {}),
    });
  }

  function PutParameter({ Name, Type, Value, Overwrite }: JsonRecord): Reply {
    const name = selected(asText(Name) ?? '').name;
    const value = asText(Value) ?? '';
    const known = parameters.get(name);
    if (known !== undefined && asBoolean(Overwrite) !== true) {
      return failure(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    }
    const type = asText(Type) ?? known?.Type;
    if (type === undefined) return failure('ValidationException', 'A parameter type is required.');
    if (value === '' || Buffer.byteLength(value) > maxValueBytes) {
      return failure(
        'ValidationException',
        `The value of a standard parameter has 1 to ${String(maxValueBytes)} bytes.`,
      );
    }
    return jsonReply({ Version: store(name, type, value).Version, Tier: 'Standard' });
  }

  function DeleteParameter({ Name }: JsonRecord): Reply {
    return parameters.delete(selected(asText(Name) ?? '').name)
      ? jsonReply({})
      : failure('ParameterNotFound');
  }

  function store(name: string, type: string, value: string): Parameter {
    const parameter: Parameter = {
      Name: name,
      Type: type,
      Value: value,
      Version: (parameters.get(name)?.Version ?? 0) + 1,
      LastModifiedDate: now() / 1000,
      ARN: arnOf(name),
      DataType: 'text',
    };
    parameters.set(name, parameter);
    return parameter;
  }

  function arnOf(name: string): string {
    const path = name.startsWith('/') ? name : `/${name}`;
    return `arn:aws:ssm:${deployment.region}:${deployment.accountId}:parameter${path}`;
  }

  /** A call may name a parameter by its ARN, and append `:version`. */
  function selected(nameOrArn: string): { readonly name: string; readonly version: string | undefined } {
    const path = /^arn:[^/]*:parameter(\/.*)$/.exec(nameOrArn)?.[1];
    const [full = '', version] = (path ?? nameOrArn).split(':');
    const isPlain = path !== undefined && !parameters.has(full) && full.lastIndexOf('/') === 0;
    return { name: isPlain ? full.slice(1) : full, version };
  }
}

/** Without decryption, the value of a SecureString cannot be read. */
function shown(parameter: Parameter, withDecryption: unknown): Parameter {
  if (parameter.Type !== 'SecureString' || asBoolean(withDecryption) === true) return parameter;
  return { ...parameter, Value: Buffer.from(parameter.Value).toString('base64') };
}

function failure(code: string, message?: string): Reply {
  return errorReply(400, code, message, 'com.amazonaws.ssm');
}
