import { createConnectionsClient } from '../../core/connections/client.ts';

/** What a function bundles and builds that posts with the poster. */
export const poster = createConnectionsClient({
  endpoint: 'https://id.execute-api.us-east-1.amazonaws.com/live',
  region: 'us-east-1',
});
