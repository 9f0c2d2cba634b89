import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';

/** What a function bundles and builds that posts with the plain client. */
export const client = new ApiGatewayManagementApiClient({
  endpoint: 'https://id.execute-api.us-east-1.amazonaws.com/live',
  region: 'us-east-1',
});
export const commands = [PostToConnectionCommand, DeleteConnectionCommand];
