import { type FunctionName, variables } from '../../lambdas/environment.ts';
import { functionNames } from '../../lib/functions/function-names.ts';
import { tokenSettings } from '../token-settings.ts';

/** The functions of every stack that has tickets. A lifecycle target or a setting adds each of the others. */
export const commonNames = functionNames.filter(
  (name) => name !== 'lifecycle' && name !== 'schedule' && name !== 'presence',
);

/** The variables that Lambda sets, and not the stack. */
const lambdaSets = { AWS_REGION: 'us-east-1', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

/** The environment that a function of the stack runs in. */
export function environmentOf(name: FunctionName): Record<string, string> {
  const values: Readonly<Record<string, string>> = {
    LOG_LEVEL: 'INFO',
    SHARDS: '8',
    INLINE_LIMIT: '500',
    DURABLE_TOPICS: '',
    SESSIONS_TABLE: 'sessions',
    STATE_TABLE: 'state',
    FAN_OUT_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/jobs',
    FAN_OUT_RATE: '1000',
    SCHEDULE_QUEUE_URL: '',
    CHECK_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/checks',
    MAX_SESSIONS_PER_USER: '20',
    CALLBACK_ENDPOINT: 'https://api.execute-api.us-east-1.amazonaws.com/live',
    TOKENS: JSON.stringify(tokenSettings),
    ALLOWED_ORIGINS: '',
    CONNECT_WITH: 'either',
    SERVICE_TENANTS: '{}',
    CONNECTION_RATE: '{"rateLimit":20,"burstLimit":40}',
    USER_RATE: '{"rateLimit":100,"burstLimit":200}',
    RECORDS_ENDS: 'false',
    TARGETS: '[]',
    LIFECYCLE_TARGETS: '[]',
    PRESENCE: '',
    PUBLISH_URL: 'https://api.execute-api.us-east-1.amazonaws.com/publish',
  };
  const own = variables[name].map((variable): [string, string] => [variable, values[variable] ?? '']);
  return { ...lambdaSets, ...Object.fromEntries(own) };
}
