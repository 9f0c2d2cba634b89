import { createConnectionsClient } from '../../core/connections/client.ts';

/** The entry of a function that posts with the connections client. */
export const connections = createConnectionsClient({
  endpoint: 'https://id.execute-api.us-east-1.amazonaws.com/live',
  region: 'us-east-1',
});
