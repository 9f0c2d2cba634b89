/** The largest frame that a client may send, in bytes of UTF-8. Above it API Gateway closes with 1009 (quotas). */
export const maxUplinkFrameBytes = 32 * 1024;

/** The largest frame that the server may send, in bytes of UTF-8 (`Data` of PostToConnection, 131,072 bytes). */
export const maxDownlinkFrameBytes = 128 * 1024;

/** API Gateway bills a message for each 32 KB (https://aws.amazon.com/api-gateway/pricing/, WebSocket APIs). */
export const messageUnitBytes = 32 * 1024;

/** API Gateway ends every connection after two hours. No setting raises this (WebSocket quotas). */
export const connectionLifetimeMs = 2 * 60 * 60 * 1000;

/** How many targets one publish may name. */
export const maxTargets = 100;

/** How many connection ids the `exclude` of one publish may name. */
export const maxExclusions = 100;

/** The longest message type, in characters. */
export const maxTypeLength = 128;

/** The longest `id` of a client frame, in characters. */
export const maxFrameIdLength = 64;

/**
 * The largest durable frame, in bytes of UTF-8. It is 1 KB below the limit of a frame, so that the answer to
 * `inbox-list` fits into a frame with this message in it.
 */
export const maxDurableFrameBytes = maxDownlinkFrameBytes - 1024;

/** The largest body of `POST /messages`: one frame, whose content may be twice as long as in the message that it makes. */
export const maxPostedFrameBytes = 256 * 1024;

/**
 * The largest body of `POST /publish`. Escapes such as \u00e9 make text of two bytes six bytes long, so a frame of
 * 128 KB needs up to 384 KB. The rest is room for 100 targets and 100 exclusions.
 */
export const maxPublishBodyBytes = 512 * 1024;

/** How long a durable message is kept if the publish has no `ttlSeconds`: 7 days. */
export const defaultRetentionSeconds = 7 * 24 * 60 * 60;

/** The longest `ttlSeconds`: a year. */
export const maxRetentionSeconds = 365 * 24 * 60 * 60;

/** How many sessions or users one page of `GET /sessions` may hold. */
export const maxPageSessions = 1000;

/** How many messages one page of a channel's log may hold. */
export const maxPageMessages = 1000;

/** How many messages one `history` may ask for. */
export const maxHistoryMessages = 100;

/** How many channels one `recover` may name: room for every topic of a session, its user, its type and `everyone`. */
export const maxRecoveredChannels = 128;

/** How long a publication is kept. During this time its `messageId` is an idempotency key. */
export const publicationLifetimeMs = 24 * 60 * 60 * 1000;

/** How far ahead a publish may be scheduled: a leap year. */
export const maxScheduleMs = 366 * 24 * 60 * 60 * 1000;

/** How many topics one session may be subscribed to. */
export const maxTopicsPerSession = 100;

/** How many users and topics one `watch` or `unwatch` may name. */
export const maxWatchedPerFrame = 15;

/** How many users one `GET /presence` may name. */
export const maxPresenceUsers = 100;

/** How many levels deep the content of a message may be. Neither server nor clients can write much deeper JSON. */
export const maxContentDepth = 500;
