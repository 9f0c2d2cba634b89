import { Logger } from '@aws-lambda-powertools/logger';

/**
 * The one logger of a function. Never give it an event: CONNECT and authorizer events hold the token.
 * Its level is the environment variable `LOG_LEVEL`.
 */
export const log = new Logger({ serviceName: 'switchboard' });
