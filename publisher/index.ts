export {
  createPublisher,
  type OutgoingMessage,
  type Publisher,
  type PublisherOptions,
  PublishError,
} from './publisher.ts';
export type { AwsKeys, AwsKeysProvider } from './signed-request.ts';
export type { ErrorDetail, PublishAnswer } from '../protocol/index.ts';
