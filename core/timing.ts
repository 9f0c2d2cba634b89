/*
 * The time-outs that depend on how long a function runs. They are computed from each other where one follows from
 * another. `lib` configures the functions and the queue from here.
 */

import { connectionLifetimeMs } from '../protocol/index.ts';

/** API Gateway waits 29 s for a WebSocket integration (quotas for WebSocket APIs). No function runs longer. */
export const functionTimeoutMs = 29_000;

/** A handshake makes a write, a read and a request to a queue. If they take longer, it fails. */
export const handshakeTimeoutMs = 10_000;

/** How long the keys of an issuer, or a function that verifies tokens, may take. A handshake waits for them. */
export const tokenCheckTimeoutMs = handshakeTimeoutMs / 2;

/** A publish sends for this long. The rest of the function's time is for its reads and its record. */
export const publishSendingMs = functionTimeoutMs - 9_000;

/** One `recover` sends for this long (docs/protocol.md). The client then asks for the rest. */
export const recoverSendingMs = 5_000;

/** A `recover` that holds its lease for longer has been killed. It also reads, besides sending. */
export const recoverLeaseMs = 2 * recoverSendingMs;

/** All tries to send `closing` together. A client that reads nothing must not put off its own close. */
export const closingSendingMs = 1_000;

/** Who has marked a session as ended closes its connection within this time, or has failed. */
export const closingTakesMs = functionTimeoutMs;

/** A publisher that started longer ago has been killed: its function has ended. */
export const publisherLostAfterMs = functionTimeoutMs + 6_000;

/** A writer that took an offset longer ago never writes there. Twice the function's time covers clocks that differ. */
export const writerLostAfterMs = 2 * functionTimeoutMs;

/** A 410 may mean that `$connect` still runs. A session older than this has left that state. */
export const handshakeWindowMs = 2 * functionTimeoutMs + 2_000;

/** A fan-out worker starts no page with less time left. A page takes about a second, and more with retries. */
export const fanOutPageMs = 8_000;

/** How often a fan-out job is received before it goes to the dead-letter queue. AWS advises at least five for Lambda. */
export const fanOutAttempts = 5;

/** The queue hands out a killed worker's job after this. AWS advises six times the function's time. */
export const fanOutVisibilityMs = 6 * functionTimeoutMs;

/** A second worker got a job that another one has: it retries when that function has ended. */
export const fanOutTakenRetryMs = functionTimeoutMs + 1_000;

/** A shard without progress for longer than all attempts take, and a wait in the queue, has lost its job. */
export const fanOutLostAfterMs = (fanOutAttempts + 2) * fanOutVisibilityMs;

/** How often a session check is received before it is a dead letter. */
export const checkAttempts = 5;

/** AWS advises six times the function's time, and the time that a batch waits to be full. */
export const checkVisibilityMs = 6 * functionTimeoutMs + 2_000;

/**
 * EventBridge Scheduler runs a schedule of each minute once in it, at any second.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export const scheduleTickMs = 60_000;

/** A tick hands over what is due so soon. Two ticks can be two minutes apart, so this leaves a minute. */
export const scheduleAheadMs = 3 * scheduleTickMs;

/** A publisher hands over itself what is due sooner than any tick that may have run. The rest is for clocks that differ. */
export const schedulePublisherAheadMs = scheduleAheadMs + scheduleTickMs;

/** A message that has not been delivered so long after its time is handed over again. */
export const scheduleLateAfterMs = 15_000;

/** How late a message may be delivered, after a time in which nothing ran. Then it is given up. */
export const scheduleKeptMs = 30 * 24 * 60 * 60_000;

/** How often a scheduled message is received before it is a dead letter. */
export const scheduleAttempts = 5;

/** AWS advises six times the function's time. */
export const scheduleVisibilityMs = 6 * functionTimeoutMs;
/** A function that announces presence holds its user for this long at most. Then it has ended. */
export const presenceHoldMs = functionTimeoutMs + 2_000;

/** A user stays watched for this long after the last `watch`. No session of a watcher lives longer. */
export const watchedForMs = connectionLifetimeMs + 10 * 60 * 1000;

/** How often the connections of who is watched are looked for. */
export const probeEveryMs = 5 * 60 * 1000;

/** How often a message of the queue of presence is received before it is a dead letter. */
export const presenceAttempts = 5;

/** AWS advises six times the function's time. */
export const presenceVisibilityMs = 6 * functionTimeoutMs;

/** Probes that are due for longer than all attempts take have lost their message. */
export const probesLostAfterMs = (presenceAttempts + 1) * presenceVisibilityMs;

/** How long a target may take to answer. The longest leaves the function that calls it time for its own answer. */
export const targetTimeoutMs = { default: 5_000, least: 100, most: 25_000 };

/** The function `lifecycle` tells of one session at a time, so both ends of a short one may wait for a slow target. */
export const lifecycleTimeoutMs = 2 * targetTimeoutMs.most + 10_000;

/** AWS advises six times the function's time. Retries have their own delays. */
export const lifecycleVisibilityMs = 6 * lifecycleTimeoutMs;

/**
 * The pauses before each retry of a lifecycle event, as the Standard Webhooks specification advises them. SQS hides a
 * message for 12 hours at most, counted from its receipt. After the last retry the event is a dead letter.
 */
export const lifecycleRetrySeconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];

/** Ten changes of one key are published one after the other, and one of them may be tried again for a minute. */
export const changeTimeoutMs = 120_000;

/** AWS advises six times the function's time. */
export const changeVisibilityMs = 6 * changeTimeoutMs;

/** How often a change that cannot be published is delivered before it is a dead letter. */
export const changeAttempts = 10;
