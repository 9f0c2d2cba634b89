import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';

/** The entry of a function that posts with the SDK's client. */
export const client = new ApiGatewayManagementApiClient({
  endpoint: 'https://id.execute-api.us-east-1.amazonaws.com/live',
  region: 'us-east-1',
});
export const commands = [PostToConnectionCommand, DeleteConnectionCommand];
