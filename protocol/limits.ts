/** The largest frame a client may send, in bytes of UTF-8. API Gateway closes with 1009 above it (WebSocket quotas). */
export const maxUplinkFrameBytes = 32 * 1024;

/** The largest frame a client can be sent, in bytes of UTF-8 (`Data` of PostToConnection, 131,072 bytes). */
export const maxDownlinkFrameBytes = 128 * 1024;

/** API Gateway ends every connection after two hours; no setting raises it (WebSocket quotas). */
export const connectionLifetimeMs = 2 * 60 * 60 * 1000;

/** How many targets one publish may name. */
export const maxTargets = 100;

/** How many connections one publish may leave out. */
export const maxExclusions = 100;

/** Length of a message type, in characters. */
export const maxTypeLength = 128;

/** Length of a client frame's `id`, in characters. */
export const maxFrameIdLength = 64;

/**
 * The largest durable frame, in bytes of UTF-8: 1 KB below the limit, so that an answer with nothing but this message
 * in it (the inbox's) still fits into a frame.
 */
export const maxDurableFrameBytes = maxDownlinkFrameBytes - 1024;

/** For how long a durable message is kept where the publish does not say, in seconds: 7 days. */
export const defaultRetentionSeconds = 7 * 24 * 60 * 60;

/** The longest that a durable message can be kept, in seconds: a year. */
export const maxRetentionSeconds = 365 * 24 * 60 * 60;

/** How many messages one page of a channel's log holds at most. */
export const maxPageMessages = 1000;

/** How many channels one `recover` may name: all topics that a session may have, and its own channels. */
export const maxRecoveredChannels = 128;

/** How long a publication is kept, and for how long its `messageId` publishes nothing a second time. */
export const publicationLifetimeMs = 24 * 60 * 60 * 1000;

/** How many topics one session may be subscribed to. */
export const maxTopicsPerSession = 100;

/** How deep the content of a publish may be nested. Far deeper, and neither server nor client could read it. */
export const maxContentDepth = 500;
